import { expect, test } from 'vitest';
import { keepThere } from '../../../src/platform/keep-there.js';
import { FakeClock } from '../../support/fake-clock.js';

/** A file in a directory of which the kernel tells nothing. */
function keeping() {
  const clock = new FakeClock();
  const said: string[] = [];
  const state = { isThere: true, canBe: true };
  const file = {
    isThere: () => state.isThere,
    remake() {
      if (!state.canBe) throw new Error('no');
      state.isThere = true;
    },
  };
  const end = keepThere('/nowhere/at/all', [file], {
    clock,
    remade: () => said.push('remade'),
    failed: (error) => said.push((error as Error).message),
  });
  /** What is due is done, and what was begun by that. */
  const pass = async (seconds: number) => {
    clock.advance(seconds * 1_000);
    for (let n = 0; n < 5; n += 1) await Promise.resolve();
  };
  return { state, said, pass, end };
}

test('what is missing is made again within half a minute, also where the kernel does not tell', async () => {
  const { state, said, pass } = keeping();
  await pass(300);
  expect(said).toEqual([]);
  state.isThere = false;
  await pass(30);
  expect([said, state.isThere]).toEqual([['remade'], true]);
});

test('what cannot be made is said once, tried again, and said when it is there', async () => {
  const { state, said, pass } = keeping();
  Object.assign(state, { isThere: false, canBe: false });
  for (let n = 0; n < 4; n += 1) await pass(30);
  expect(said).toEqual(['no']);
  state.canBe = true;
  await pass(30);
  expect(said).toEqual(['no', 'remade']);
  Object.assign(state, { isThere: false, canBe: false });
  await pass(30);
  expect(said).toEqual(['no', 'remade', 'no']);
});

test('after the end nothing is made', async () => {
  const { state, said, pass, end } = keeping();
  state.isThere = false;
  end();
  await pass(300);
  expect([said, state.isThere]).toEqual([[], false]);
});
