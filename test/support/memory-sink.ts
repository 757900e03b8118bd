/** A sink that keeps what it gets, as text. */
import type { Sink } from '../../src/ports.js';

export interface MemorySink extends Sink {
  /** Everything written so far, decoded. */
  readonly text: string;
  readonly writes: readonly string[];
}

export function memorySink({ isTTY = false, columns = 80 } = {}): MemorySink {
  const writes: string[] = [];
  return {
    isTTY,
    columns,
    write: (text) => void writes.push(text),
    writes,
    get text() {
      return Buffer.from(writes.join(''), 'latin1').toString('utf8');
    },
  };
}
