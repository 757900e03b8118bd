/**
 * What happened, for those who ask later: the last output of each service, and the last of everything else. Memory only
 * and bounded; a chunk of output costs one push.
 */
import type { InstanceId, ProcletEvent, Tag } from '../model.js';
import type { Observer } from '../ports.js';
import { tagOf } from './margin.js';

export interface History {
  readonly observe: Observer;
  /** Oldest first. Of unfinished lines, the one that each instance stands at. */
  events(): readonly ProcletEvent[];
  /** Before this moment (wall time) something may have been forgotten; -Infinity if nothing was. */
  completeSince(): number;
}

/** Bytes of output for each service, and events that are not output. */
const keptOutput = 512 * 1024;
const keptEvents = 1000;

interface Kept {
  readonly event: ProcletEvent;
  readonly number: number;
}

/** A list that forgets its oldest entries when their weights come to more than a limit. */
class Ring {
  #entries: Kept[] = [];
  #first = 0;
  #weight = 0;
  forgotten = -Infinity;

  add(entry: Kept, weight: (event: ProcletEvent) => number, limit: number): void {
    this.#entries.push(entry);
    this.#weight += weight(entry.event);
    while (this.#weight > limit && this.#first < this.#entries.length - 1) {
      const { event } = this.#entries[this.#first] as Kept;
      this.#weight -= weight(event);
      this.forgotten = event.at;
      this.#first += 1;
    }
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  get entries(): readonly Kept[] {
    return this.#entries.slice(this.#first);
  }
}

export function createHistory(): History {
  const outputs = new Map<Tag, Ring>();
  const others = new Ring();
  /** Prompts, as a rule. */
  const open = new Map<InstanceId, Kept>();
  let number = 0;
  const rings = () => [others, ...outputs.values()];
  return {
    observe(event) {
      number += 1;
      if (event.type === 'output' && event.end === 'open') open.set(event.id, { event, number });
      else if ('id' in event) open.delete(event.id);
      if (event.type !== 'output') others.add({ event, number }, () => 1, keptEvents);
      else if (event.end !== 'open') {
        const tag = tagOf(event.id);
        let ring = outputs.get(tag);
        if (ring === undefined) {
          ring = new Ring();
          outputs.set(tag, ring);
        }
        ring.add({ event, number }, weightOf, keptOutput);
      }
    },
    events: () =>
      [...rings().flatMap((ring) => ring.entries), ...open.values()]
        .sort((a, b) => a.number - b.number)
        .map(({ event }) => event),
    completeSince: () => Math.max(...rings().map(({ forgotten }) => forgotten)),
  };
}

/** With something for the object itself. */
function weightOf(event: ProcletEvent): number {
  return event.type === 'output' ? event.text.length + 100 : 0;
}
