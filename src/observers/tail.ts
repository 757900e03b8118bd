/**
 * The last words of every instance: its last finished lines, at most 8 KB of them. Memory only, written to
 * nothing. A chunk costs one string append; lines are only looked for when someone asks.
 */
import type { Bytes, InstanceId, Output } from '../model.js';
import type { Observer } from '../ports.js';

export interface Tail {
  readonly observe: Observer;
  /** The last lines that this life of an instance printed, at most `count`, oldest first, without newlines. */
  last(id: InstanceId, count: number): readonly Bytes[];
}

const kept = 8 * 1024;

interface Words {
  /** Finished lines of both streams, in the order in which they were finished. */
  text: Bytes;
  /** What came of a line so far that is too long to arrive in one piece. */
  readonly pieces: Record<Output['stream'], Bytes>;
}

export function createTail(): Tail {
  const words = new Map<InstanceId, Words>();

  const keep = ({ id, stream, text, end }: Output) => {
    const of = words.get(id) ?? begin(id);
    if (end === 'open') return;
    const whole = of.pieces[stream] + text;
    of.pieces[stream] = end === 'cut' ? lastOf(whole) : '';
    if (end === 'line') of.text = lastOf(whole.length >= kept ? whole : of.text + whole);
  };

  const begin = (id: InstanceId): Words => {
    const fresh: Words = { text: '', pieces: { stdout: '', stderr: '' } };
    words.set(id, fresh);
    return fresh;
  };

  return {
    observe(event) {
      if (event.type === 'output') keep(event);
      else if (event.type === 'spawned') begin(event.id);
    },
    last(id, count) {
      const text = words.get(id)?.text.slice(-kept) ?? '';
      if (text === '' || count < 1) return [];
      const lines = text.slice(0, -1).split('\n');
      // The first of a full memory has probably lost its beginning.
      if (text.length === kept && lines.length > 1) lines.shift();
      return lines.slice(-count);
    },
  };
}

/** The end of a text, cut out of it for good once it is twice too long, so that the whole can be forgotten. */
function lastOf(text: Bytes): Bytes {
  return text.length <= 2 * kept ? text : Buffer.from(text.slice(-kept), 'latin1').toString('latin1');
}
