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
  /** It is being ended because it was not ready: what it says to that is not why. */
  isOver: boolean;
}

/** The lives of a slot that have words, and the one that began or ended last. */
interface Slot {
  current: number;
  readonly lives: Map<number, Words>;
  readonly ended: Set<number>;
}

export function createTail(): Tail {
  const slots = new Map<InstanceId, Slot>();

  const slotOf = (id: InstanceId): Slot => {
    const known = slots.get(id);
    if (known !== undefined) return known;
    const slot: Slot = { current: 0, lives: new Map(), ended: new Set() };
    slots.set(id, slot);
    return slot;
  };

  const wordsOf = ({ lives }: Slot, generation: number): Words => {
    const known = lives.get(generation);
    if (known !== undefined) return known;
    const words: Words = { text: '', pieces: { stdout: '', stderr: '' }, isOver: false };
    lives.set(generation, words);
    return words;
  };

  const keep = ({ id, stream, text, end, generation }: Output & { generation?: number }) => {
    const slot = slotOf(id);
    const of = wordsOf(slot, generation ?? slot.current);
    if (end === 'open' || of.isOver) return;
    const whole = of.pieces[stream] + text;
    of.pieces[stream] = end === 'cut' ? lastOf(whole) : '';
    if (end === 'line') of.text = lastOf(whole.length >= kept ? whole : of.text + whole);
  };

  /** Of lives that ended before, nothing is asked any more. */
  const turnTo = (slot: Slot, generation: number) => {
    for (const each of slot.ended) if (each !== generation) slot.lives.delete(each);
    slot.ended.clear();
    slot.current = generation;
  };

  return {
    observe(event) {
      if (event.type === 'output') keep(event);
      else if (event.type === 'spawned') {
        const slot = slotOf(event.id);
        if (!slot.lives.has(event.generation)) turnTo(slot, event.generation);
        slot.lives.delete(event.generation);
      } else if (event.type === 'unready') wordsOf(slotOf(event.id), event.generation).isOver = true;
      else if (event.type === 'exited') {
        const slot = slotOf(event.id);
        turnTo(slot, event.generation);
        slot.ended.add(event.generation);
      }
    },
    last(id, count) {
      const slot = slots.get(id);
      const text = slot?.lives.get(slot.current)?.text.slice(-kept) ?? '';
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
