/**
 * Events as JSON, one object a line, for programs. Keys come in a fixed order: when, what, who, then the
 * event's own fields. Durations are whole milliseconds; one that never ends is null. Of output there is one
 * object for each line; an unfinished one is not written, because the whole line follows.
 */
import type { Output } from '../model.js';
import type { Observer, Sink } from '../ports.js';
import { eventToWire, toLine } from '../wire.js';
import { fromBytes, toBytes } from './bytes.js';

/** Writes every event to the sink. */
export function createJsonLines(sink: Sink): Observer {
  return (event) => {
    if (event.type !== 'output') sink.write(toBytes(toLine(eventToWire(event))));
    else if (event.end !== 'open') sink.write(toBytes(outputLines(event)));
  };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

/** A piece of a line too long to arrive whole says `"cut":true`; the next object of that stream goes on with it. */
function outputLines({ at, type, id, stream, text, end }: Output & { at: number; type: 'output' }): string {
  const start = `${JSON.stringify({ time: timeOf(at), type, id, stream }).slice(0, -1)},"text":`;
  if (end === 'cut') return `${start}${JSON.stringify(fromBytes(text))},"cut":true}\n`;
  return `${start}${quotedLines(fromBytes(text.slice(0, -1)), `}\n${start}`)}}\n`;
}

/** Each line as a JSON string, with `between` between them. Quoting them all at once is much the faster way. */
function quotedLines(text: string, between: string): string {
  // Only a newline becomes backslash and n, unless the text has backslashes of its own.
  if (!text.includes('\\') && !text.includes('\r')) return JSON.stringify(text).replaceAll('\\n', `"${between}"`);
  const quoted = text.split('\n').map((line) => JSON.stringify(line.endsWith('\r') ? line.slice(0, -1) : line));
  return quoted.join(between);
}
