import { expect, test } from 'vitest';
import { refusalOf } from '../../../src/launcher/gate.js';

test.each([
  ['its own user', { is: 'user', uid: 1000 }, undefined],
  ['root', { is: 'user', uid: 0 }, undefined],
  ['another user', { is: 'user', uid: 1001 }, 'You are the user 1001'],
  ['nobody', { is: 'user', uid: 65_534 }, 'answers to nobody else'],
  ['who is not seen on this machine', { is: 'unseen' }, '--any-user'],
  ['another machine, which --host lets in', { is: 'elsewhere' }, undefined],
  ['everybody where the system does not tell', { is: 'untold' }, undefined],
] as const)('the launcher of a user answers to %s: %j', (_, peer, expected) => {
  const refusal = refusalOf(peer, 1000);
  if (expected === undefined) expect(refusal).toBeUndefined();
  else expect(refusal).toContain(expected);
});
