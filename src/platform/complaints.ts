/** Standard error for what proclet has to say itself. It never waits for a reader: what does not fit is not said. */
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { createOutput, type Output } from './stdout.js';
import { writerFor } from './terminal-writer.js';

export interface Complaints {
  /** Whole lines. */
  write(text: string): void;
  /** One line under proclet's name. */
  say(text: string): void;
  /** Resolves when everything was written, or at `deadline`. */
  close(clock: Clock, deadline: Millis): Promise<void>;
}

export function createComplaints(): Complaints {
  let errors: Output | undefined;
  const write = (text: string) => {
    errors ??= createOutput(process.stderr, writerFor(process.stderr));
    if (errors.gate.isOpen) errors.sink.write(Buffer.from(text).toString('latin1'));
  };
  return {
    write,
    say: (text) => write(`proclet: ${text}\n`),
    close: async (clock, deadline) => void (await errors?.close(clock, deadline)),
  };
}
