/** Reads the streams of a service: bytes into lines, prompts in time, and no faster than what is read can go out. */
import type { Readable } from 'node:stream';
import type { InstanceId, Millis, Output } from '../model.js';
import type { Clock, Gate } from '../ports.js';
import { createLines } from './lines.js';

/** An unfinished line this old is shown as it is: a prompt. */
const promptAfter: Millis = 150;

/** Once the tree is empty, what is left in its pipes is read for this long after the last byte. */
const drainFor: Millis = 250;

/** Nor longer than this in all: a process that is not of the tree may print on and on. */
const longestDrain: Millis = 2_000;

/**
 * Reads one stream to its end. `drained` is called when the tree is empty, and resolves when the end was seen or
 * nothing came for `drainFor`: a process that is not of the tree may hold the pipe open for ever. What is left then is
 * no more than a pipe holds, so it is read though the gate is closed: no end waits for who reads the output.
 */
export function readLines(
  { clock, gate }: { readonly clock: Clock; readonly gate: Gate },
  id: InstanceId,
  name: Output['stream'],
  stream: Readable | null,
  tell: (output: Output) => void,
) {
  if (!stream) return { drained: () => Promise.resolve() };
  const lines = createLines((output) => tell({ id, stream: name, ...output }));
  let lastByte = 0;
  let watching = false;
  let ended = false;
  let isDraining = false;
  let onEnd = () => {};

  /** Shows a line that is still unfinished `promptAfter` it began to be watched. */
  const watchForPrompt = () => {
    watching = true;
    const { line } = lines;
    clock.wakeAt(clock.now() + promptAfter, () => {
      watching = false;
      if (ended || !lines.pending) return;
      // While nothing is read, because the reader of the output is slow, silence says nothing about the line.
      if (lines.line === line && gate.isOpen) lines.quiet();
      else watchForPrompt();
    });
  };
  const finish = () => {
    if (ended) return;
    ended = true;
    lines.end();
    onEnd();
  };

  stream.on('data', (chunk: Buffer) => {
    lastByte = clock.now();
    lines.data(chunk);
    if (lines.pending && !watching) watchForPrompt();
    if (!gate.isOpen && !isDraining) {
      stream.pause();
      gate.whenOpen(() => stream.resume());
    }
  });
  stream.once('end', finish);
  stream.once('error', finish);
  stream.once('close', finish);

  return {
    drained: () =>
      new Promise<void>((resolve) => {
        onEnd = resolve;
        if (ended) return resolve();
        const began = clock.now();
        const giveUp = () => {
          if (ended) return;
          const due = Math.min(Math.max(lastByte, began) + drainFor, began + longestDrain);
          if (clock.now() < due) clock.wakeAt(due, giveUp);
          else stream.destroy();
        };
        isDraining = true;
        stream.resume();
        clock.wakeAt(began + drainFor, giveUp);
      }),
  };
}
