/** How services ended, as JSON lines beside proclet.log: what reads them again decides by events, never by sentences. */
import type { ProcletEvent, Tag } from '../model.js';
import { eventFromWire, eventToWire, toLine } from '../wire.js';
import { tagOf } from './margin.js';
import { createSentences } from './sentences.js';

/** The name of the file in a directory of logs. */
export const endsName = 'proclet.ends';

/** The line that an event has there; undefined for one that tells of no end. */
export function endLine(event: ProcletEvent): string | undefined {
  return tagOfEnd(event) === undefined ? undefined : toLine(eventToWire(event));
}

/** A sentence that a run printed about the end of a service, and when. */
export interface ToldEnd {
  /** Wall time. */
  readonly at: number;
  readonly text: string;
}

/** The last end of a service at or after a wall time, of those in the file of one run. */
export function lastEndIn(text: string, tag: Tag, since: number): ToldEnd | undefined {
  const sentencesAbout = createSentences();
  const said = text.split('\n').flatMap((line) => {
    const event = eventOf(line);
    if (event === undefined || event.at < since) return [];
    const sentences = sentencesAbout(event);
    return tagOfEnd(event) === tag && sentences.length > 0
      ? [{ at: event.at, text: sentences.map((one) => one.text).join('; ') }]
      : [];
  });
  return said.at(-1);
}

function tagOfEnd(event: ProcletEvent): Tag | undefined {
  switch (event.type) {
    case 'orphaned':
    case 'killed':
    case 'exited':
    case 'unready':
      return tagOf(event.id);
    case 'stranded':
      return event.tag;
    default:
      return undefined;
  }
}

/** Undefined for a line that is cut, as the last one of a run that was killed may be. */
function eventOf(line: string): ProcletEvent | undefined {
  try {
    return eventFromWire(JSON.parse(line));
  } catch {
    return undefined;
  }
}
