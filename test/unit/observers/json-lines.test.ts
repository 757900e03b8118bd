import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { ProcletEvent } from '../../../src/model.js';
import { createJsonLines } from '../../../src/observers/json-lines.js';
import { question } from '../../support/environment.js';
import { at, exited, noon, output } from '../../support/events.js';
import { memorySink } from '../../support/memory-sink.js';

function written(...events: ProcletEvent[]): string {
  const sink = memorySink();
  const observe = createJsonLines(sink);
  for (const event of events) observe(event);
  return sink.text;
}

const textsOf = (lines: string) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).text);

/** One event of every type, and one of every variant that is written differently. */
const examples: { readonly [T in ProcletEvent['type']]: readonly ProcletEvent[] } = {
  spawned: [at({ type: 'spawned', id: 'web.1', pid: 812, port: 5000 })],
  up: [at({ type: 'up', id: 'web.1', after: 1000, probed: false })],
  listening: [at({ type: 'listening', id: 'web.1', generation: 1, listens: 'elsewhere', ports: [3000], after: 1500 })],
  output: [output('ready\n'), output('warning\n', { stream: 'stderr' }), output('long', { end: 'cut' })],
  stopping: [
    at({ type: 'stopping', id: 'web.1', generation: 1, cause: { reason: 'shutdown' }, signal: 'SIGTERM', grace: 5000 }),
    at({
      ...{ type: 'stopping', id: 'web.1', generation: 1, signal: 'SIGTERM', grace: 5000 },
      cause: { reason: 'idle', window: 60_000, since: 60_000 },
    }),
    at({
      type: 'stopping',
      id: 'db.1',
      generation: 1,
      cause: { reason: 'ttl', window: 60_000, why: { is: 'unneeded', tag: 'web' } },
      signal: 'SIGTERM',
      grace: Infinity,
    }),
  ],
  orphaned: [at({ type: 'orphaned', id: 'web.1', exit: { how: 'code', code: 0 }, processes: 2 })],
  killed: [at({ type: 'killed', id: 'web.1', signal: 'SIGTERM', after: 5000 })],
  exited: [
    exited({ exit: { how: 'code', code: 143 }, expected: true, next: { is: 'done' } }),
    exited({ next: { is: 'restart', delay: 1000, failures: 1 } }),
    exited({ exit: { how: 'spawn-error', message: 'spawn EAGAIN' }, ran: 0, next: { is: 'failed', failures: 5 } }),
    exited({
      exit: { how: 'signal', signal: 'SIGKILL' },
      cause: { reason: 'ttl', window: 60_000 },
      took: 5010,
      forced: 'grace',
      processes: 3,
      survivors: [{ pid: 813, state: 'D', command: 'cp /mnt/x' }],
    }),
    exited({ exit: { how: 'code', code: 0 }, next: { is: 'done' } }),
  ],
  unready: [at({ type: 'unready', id: 'db.1', after: 30_000, waiting: ['web'] })],
  waiting: [at({ type: 'waiting', tag: 'web', for: ['db'] })],
  stranded: [at({ type: 'stranded', tag: 'web', for: 'db' })],
  changed: [at({ type: 'changed', tag: 'web', path: 'lib/app.pm', files: 2 })],
  'handed-over': [at({ type: 'handed-over', id: 'web.1', generation: 2, from: 1 })],
  kept: [at({ type: 'kept', id: 'web.1', generation: 1, failed: 2 })],
  reconfigured: [
    at({ type: 'reconfigured', added: ['db'], removed: [], changed: ['web'], scaled: [{ tag: 'web', instances: 2 }] }),
  ],
  scheduled: [at({ type: 'scheduled', tag: 'report', every: '*/5 * * * *', in: 61_500 })],
  skipped: [at({ type: 'skipped', tag: 'report' })],
  woken: [at({ type: 'woken', tag: 'web' })],
  expiring: [at({ type: 'expiring', tag: 'web', reason: 'ttl', in: 60_000 })],
  notice: [at({ type: 'notice', text: 'port 5000 is held by nginx (pid 812)' })],
  ending: [
    at({ type: 'ending', why: { is: 'signal', signal: 'SIGINT', inFront: true }, ids: ['web.1'] }),
    at({ type: 'ending', why: { is: 'control', verb: 'stop', from: 'command', pid: 4711 }, ids: [] }),
  ],
  stopped: [at({ type: 'stopped', status: 130 })],
};

test('every event has the form that is written down, keys in that order', () => {
  const lines = written(...Object.values(examples).flat())
    .trimEnd()
    .split('\n');
  const path = resolve(import.meta.dirname, '../../snapshots/events.json');
  // UPDATE_EVENTS=1 writes down what is: a change of the form is to be seen in a diff.
  if (question('UPDATE_EVENTS'))
    writeFileSync(
      path,
      `${JSON.stringify(
        lines.map((line) => JSON.parse(line)),
        null,
        2,
      )}\n`,
    );
  const writtenDown: object[] = JSON.parse(readFileSync(path, 'utf8'));
  expect(lines).toEqual(writtenDown.map((event) => JSON.stringify(event)));
});

test('when, what and who come first', () => {
  expect(written(...examples.spawned)).toBe(
    '{"time":"2026-11-22T12:23:16.123Z","type":"spawned","id":"web.1","pid":812,"port":5000,"generation":1,"coming":false}\n',
  );
});

test('the order of keys is the same however an event was made', () => {
  const shuffled = {
    coming: false,
    generation: 1,
    port: 5000,
    pid: 812,
    id: 'web.1',
    type: 'spawned',
    at: noon,
  } as const;
  expect(written(shuffled)).toBe(written(...examples.spawned));
});

test('each line of output is an object', () => {
  expect(textsOf(written(output('one\n\ntwo\r\n')))).toEqual(['one', '', 'two']);
});

test('a backslash before an n is not a newline', () => {
  expect(textsOf(written(output('C:\\new\n"q"\\\n')))).toEqual(['C:\\new', '"q"\\']);
});

test('text is decoded, and what is not UTF-8 is replaced', () => {
  const bytes = Buffer.from('größe "q" \\ 😀 \x1b[1m\xff', 'utf8').toString('latin1');
  const event = at({
    type: 'output',
    id: 'web.1',
    stream: 'stdout',
    text: `${bytes}\xff\n`,
    shown: 0,
    continued: false,
    end: 'line',
  });
  expect(textsOf(written(event))).toEqual(['größe "q" \\ 😀 \x1b[1mÿ\ufffd']);
});

test('a prompt is written once, when its line is whole', () => {
  expect(textsOf(written(output('name? ', { end: 'open' }), output('name? ok\n', { shown: 6 })))).toEqual(['name? ok']);
});

test('the pieces of a very long line say that it goes on', () => {
  const lines = written(output('aaa', { end: 'cut' }), output('bbb\n', { continued: true }));
  expect(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).cut),
  ).toEqual([true, undefined]);
});

test('many lines take one write', () => {
  const sink = memorySink();
  createJsonLines(sink)(output('one\ntwo\n'));
  expect(sink.writes).toHaveLength(1);
});
