import { describe, expect, test } from 'vitest';
import { connect } from '../../src/control/client.js';
import { controlled } from '../support/control.js';
import { code, signal } from '../support/fake-children.js';
import { planOf } from '../support/plans.js';

const plan = planOf({ web: { reload: 'handover', count: 2, settle: 0 }, job: { settle: 0 }, slow: { ready: tcp() } });

function tcp() {
  return { kind: 'tcp', timeout: 60_000 } as const;
}

/** Asks for it, and lets `meanwhile` happen once it has begun. */
async function reload(
  targets: readonly string[],
  meanwhile: (run: Awaited<ReturnType<typeof controlled>>) => void,
  timeout = 60_000,
) {
  const run = await controlled(plan, { mayOverlap: true });
  const client = await connect(run.path);
  const answer = client.request<{ reloaded: object[] }>({ verb: 'reload', targets, timeout });
  await client.request({ verb: 'hello' });
  meanwhile(run);
  return answer.finally(() => client.close());
}

describe('reload', () => {
  test('says which generation took over from which, once each slot has a new one', async () => {
    const { reloaded } = await reload(['web'], ({ tick }) => {
      for (let n = 0; n < 4; n += 1) tick();
    });
    expect(reloaded).toEqual([
      { id: 'web.1', is: 'handed-over', generation: 2, from: 1 },
      { id: 'web.2', is: 'handed-over', generation: 2, from: 1 },
    ]);
  });

  test('says that the old one goes on, and the last words of the one that failed', async () => {
    const { reloaded } = await reload(['web'], ({ children }) => {
      children.print('web.1+2', 'cannot\nrun\n');
      children.exit('web.1+2', code(3));
    });
    expect(reloaded).toEqual([
      { id: 'web.1', is: 'kept', generation: 1, failed: 2, how: 'exited with code 3', lastWords: ['cannot', 'run'] },
      { id: 'web.2', is: 'kept', generation: 1 },
    ]);
  });

  test.each([
    ['comes up', undefined, { id: 'job.1', is: 'restarted', generation: 2 }],
    ['crashes', code(1), { id: 'job.1', is: 'failed', generation: 2, how: 'exited with code 1', lastWords: [] }],
  ])('of what restarts waits until it %s', async (_what, end, expected) => {
    const { reloaded } = await reload(['job'], ({ children, tick }) => {
      children.exit('job.1', signal('SIGTERM'));
      if (end === undefined) tick();
      else children.exit('job.1', end);
    });
    expect(reloaded).toEqual([expected]);
  });

  test('ends when somebody stops what was to be reloaded', async () => {
    const { reloaded } = await reload(['job'], ({ children, supervisor }) => {
      supervisor.request({ type: 'stop', targets: ['job'] });
      children.exit('job.1', signal('SIGTERM'));
    });
    expect(reloaded).toEqual([{ id: 'job.1', is: 'stopped' }]);
  });

  test('names what is not done when its time is over', async () => {
    const late = reload(['slow'], ({ children }) => children.exit('slow.1', signal('SIGTERM')), 1);
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', message: 'not done: slow.1' });
  });
});
