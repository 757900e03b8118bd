import { expect, test } from 'vitest';
import type { Output } from '../../../src/model.js';
import { statusIn } from '../../../src/network/attempt.js';
import { matchLines } from '../../../src/network/matched-line.js';
import { probeReady } from '../../../src/network/ready.js';
import { FakeClock } from '../../support/fake-clock.js';

const bytes = (text: string) => Buffer.from(text).toString('latin1');

function output(text: string, more: Partial<Output> = {}): Omit<Output, 'id'> {
  return { stream: 'stdout', text: bytes(text), shown: 0, continued: false, end: 'line', ...more };
}

test.each<[string, RegExp, string]>([
  ['a line', /^listening$/, 'listening\n'],
  ['one of several lines', /^listening$/, 'starting\nlistening\nand more\n'],
  ['characters, not bytes', /^bereit für …$/, 'bereit für …\n'],
  ['what is behind colours', /^ready in \d+ ms$/, '\x1b[1m\x1b[32mready\x1b[39m in 27\x1b[0m ms\n'],
  ['a line that ends like on Windows', /ready$/, 'ready\r\n'],
  ['an empty line', /^$/, '\n'],
])('a pattern is matched against %s', (_, pattern, text) => {
  expect(matchLines(pattern)(output(text))).toBe(true);
});

test('the beginning of a line is not a line', () => {
  const matches = matchLines(/^read/);
  expect(matches(output('ready', { end: 'open' }))).toBe(false);
  expect(matches(output('ready or not\n', { shown: 5 }))).toBe(true);
});

test('a pattern does not match across two lines, nor across two streams', () => {
  const matches = matchLines(/a[\s\S]*b/);
  expect(matches(output('a\nb\n'))).toBe(false);
  expect(matches(output('a', { end: 'cut' }))).toBe(false);
  expect(matches(output('b\n', { stream: 'stderr' }))).toBe(false);
  expect(matches(output('b\n', { continued: true }))).toBe(true);
});

test('of a line without end only the beginning is looked at, and kept', () => {
  const matches = matchLines(/x(needle|$)/);
  expect(matches(output('x'.repeat(64 * 1024), { end: 'cut' }))).toBe(false);
  expect(matches(output('needle\n', { continued: true }))).toBe(true); // the 16 KB end with an x
  expect(matchLines(/needle/)(output(`${'x'.repeat(16 * 1024)}needle\n`))).toBe(false);
});

test('a pattern with a memory finds the same line twice', () => {
  const matches = matchLines(/ready/gy);
  expect(matches(output('ready\n'))).toBe(true);
  expect(matches(output('ready\n'))).toBe(true);
});

test('a matching line is told once, after it was passed on, and not when cancelled', () => {
  const clock = new FakeClock();
  let ready = 0;
  const onReady = () => {
    ready += 1;
  };
  const start = () => probeReady({ clock, port: 0, ready: { kind: 'log', pattern: /ready/ }, onReady });
  const probe = start();
  probe.observe(output('ready\nready\n'));
  expect(ready).toBe(0);
  probe.observe(output('ready\n'));
  clock.advance(1);
  probe.observe(output('ready\n'));
  clock.advance(1);
  expect(ready).toBe(1);
  const cancelled = start();
  cancelled.observe(output('ready\n'));
  cancelled.cancel();
  clock.advance(1);
  expect(ready).toBe(1);
  expect(clock.waiting).toBe(0);
});

test.each<[string, ReturnType<typeof statusIn>]>([
  ['', 'unknown'],
  ['HTTP/1.1 20', 'unknown'],
  ['HTTP/1.1 200 OK', 'unknown'],
  ['HTTP/1.1 200 OK\r\n', 200],
  ['HTTP/1.0 503 Not yet\r\nServer: x\r\n\r\n', 503],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n', 204],
  ['HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n', 'unknown'],
  ['SSH-2.0-OpenSSH\r\n', 'invalid'],
  ['\x15\x03\x01\x00\x02\x02F and something', 'invalid'],
])('the status in %j is %s', (answer, status) => {
  expect(statusIn(answer)).toBe(status);
});
