import { expect, test } from 'vitest';
import { createAside } from '../../../src/observers/aside.js';
import { at, exited } from '../../support/events.js';

test('who else asked for the end is said; a signal and a key are the business of whoever sent them', () => {
  const said: string[] = [];
  const observe = createAside((text) => said.push(text));
  observe(at({ type: 'ending', why: { is: 'signal', signal: 'SIGTERM' }, ids: ['web.1'] }));
  observe(at({ type: 'ending', why: { is: 'control', verb: 'stop', from: 'command', pid: 7 }, ids: ['web.1'] }));
  expect(said).toEqual(['proclet: stopping web.1: proclet stop (pid 7)\n']);
});

test('what had to be killed is said beside the program, and what ended when asked is not', () => {
  const said: string[] = [];
  const observe = createAside((text) => said.push(text));
  const asked = { exit: { how: 'signal', signal: 'SIGTERM' }, cause: { reason: 'shutdown' }, took: 5_000 } as const;
  observe(exited({ ...asked }));
  expect(said).toEqual([]);
  observe(at({ type: 'killed', id: 'web.1', signal: 'SIGTERM', after: 5_000 }));
  observe(exited({ ...asked, exit: { how: 'signal', signal: 'SIGKILL' }, processes: 3 }));
  expect(said).toEqual(['proclet: web.1 ignored SIGTERM for 5s, so it was killed (3 processes)\n']);
});
