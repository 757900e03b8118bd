/**
 * Hands each event to every observer, in the order they subscribed. Stamps the wall time; decides nothing. What one of
 * them throws concerns neither the others nor whoever emits.
 */
import { sparing } from '../errors.js';
import type { Happening, ProcletEvent } from '../model.js';
import type { Clock, Observer } from '../ports.js';

export interface EventBus {
  emit(happening: Happening): void;
  /** Returns the end of the subscription. */
  subscribe(observer: Observer): () => void;
}

export function createEventBus(clock: Pick<Clock, 'wall'>): EventBus {
  const observers = new Set<Observer>();
  return {
    emit(happening) {
      const event: ProcletEvent = { at: clock.wall(), ...happening };
      for (const observer of observers) sparing(() => observer(event));
    },
    subscribe(observer) {
      observers.add(observer);
      return () => observers.delete(observer);
    },
  };
}
