import { expect, test } from 'vitest';
import { createAside } from '../../../src/observers/aside.js';
import { at, exited } from '../../support/events.js';

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
