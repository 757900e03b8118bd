/** Output as texts, for who asked for it in a script. */
import type { Bytes, InstanceId } from '../model.js';
import type { Observer } from '../ports.js';
import type { LogLine } from './options.js';

/** Characters of bytes. */
export function decoded(text: Bytes): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Hands on each line once, when it is whole or too long to be kept. */
export function linesFor(logger: (line: LogLine) => void): Observer {
  return (event) => {
    if (event.type !== 'output' || event.end === 'open') return;
    const { id, stream, text, end } = event;
    const whole = end === 'line' ? text.slice(0, -1) : text;
    for (const line of decoded(whole).split('\n'))
      logger({ tag: tagOf(id), id, stream, text: line.replace(/\r$/, '') });
  };
}

function tagOf(id: InstanceId): string {
  return id.slice(0, id.lastIndexOf('.'));
}
