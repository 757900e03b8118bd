/** The promise: a run that was started for somebody is found when it answers, and is not taken for one that has ended. */
import { expect, test } from 'vitest';
import { runBegun } from '../../../src/fleet/after-start.js';
import type { SeenRun } from '../../../src/fleet/fleet.js';
import { FakeClock } from '../../support/fake-clock.js';

const silent = { root: '/hoge', services: [], silence: 'starting' } as unknown as SeenRun;
const answering = { root: '/hoge', services: [{ tag: 'web' }] } as unknown as SeenRun;

/** A fleet that sees the next of these at each look, and the last one for ever. */
function fleetOf(looks: readonly (readonly SeenRun[])[]) {
  let at = -1;
  return {
    get runs() {
      return looks[Math.min(at, looks.length - 1)] ?? [];
    },
    async look() {
      at += 1;
    },
  };
}

async function begun(...looks: readonly (readonly SeenRun[])[]): Promise<SeenRun | string> {
  const clock = new FakeClock();
  let end: SeenRun | string | undefined;
  const ended = runBegun(fleetOf(looks), clock, '/hoge', 'web').then(
    (run) => {
      end = run;
    },
    (error) => {
      end = error.code;
    },
  );
  while (end === undefined) {
    await Promise.resolve();
    clock.advance(50);
  }
  await ended;
  return end;
}

test('a run that does not answer at once is asked again', async () => {
  expect(await begun([silent], [silent], [answering])).toBe(answering);
});

test('a run that is gone, or never answers, is an error of its own', async () => {
  expect(await begun([])).toBe('NOT_RUNNING');
  expect(await begun([silent], [])).toBe('NOT_RUNNING');
  expect(await begun([silent])).toBe('TIMEOUT');
});
