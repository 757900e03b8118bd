/**
 * What `proclet run` says beside the program that has the terminal: only what the program cannot say itself,
 * on a line of its own.
 */
import type { InstanceId, ProcletEvent } from '../model.js';
import type { Observer } from '../ports.js';
import { createSentences } from './sentences.js';

/** `write` gets whole lines. */
export function createAside(write: (text: string) => void): Observer {
  const sentencesAbout = createSentences();
  /** Instances of which something did not end by the signal it was sent. */
  const killed = new Set<InstanceId>();
  return (event) => {
    if (event.type === 'killed') killed.add(event.id);
    const isDeathOfKilled = event.type === 'exited' && killed.delete(event.id);
    for (const { text } of sentencesAbout(event)) {
      if (isDeathOfKilled || isNews(event)) write(`proclet: ${text}\n`);
    }
  };
}

function isNews(event: ProcletEvent): boolean {
  switch (event.type) {
    case 'ending':
      return event.why.is === 'control';
    case 'expiring':
    case 'notice':
    case 'orphaned':
    case 'unready':
    case 'stranded':
      return true;
    case 'exited':
      return (
        event.cause?.reason === 'ttl' ||
        event.cause?.reason === 'idle' ||
        event.cause?.reason === 'expired' ||
        event.exit.how === 'spawn-error' ||
        event.exit.how === 'hangup' ||
        event.survivors.length > 0
      );
    case 'spawned':
    case 'up':
    case 'listening':
    case 'changed':
    case 'handed-over':
    case 'kept':
    case 'reconfigured':
    case 'stopping':
    case 'killed':
    case 'output':
    case 'stopped':
    case 'waiting':
    case 'scheduled':
    case 'skipped':
    case 'woken':
      return false;
    default:
      return event satisfies never;
  }
}
