import { expect, test } from 'vitest';
import { standingOf } from '../../../src/control/standing.js';
import type { InstanceSnapshot, ServiceSnapshot, StartPolicy } from '../../../src/model.js';

const service = (over: Partial<InstanceSnapshot>, start: StartPolicy = 'always'): ServiceSnapshot => ({
  ...{ tag: 'web', command: 'true', position: 0, start, listen: [] },
  instances: [{ id: 'web.1', phase: 'up', role: 'serving', generation: 1, port: 5000, ...over }],
});
const crash = { exit: { how: 'code', code: 3 }, ago: 10 } as const;

test.each<[string, ServiceSnapshot, object]>([
  ['is up', service({}), { is: 'ready' }],
  [
    'was given a port and does not listen yet',
    service({ listens: 'pending' }),
    { is: 'pending', why: 'web.1 is up and does not listen yet' },
  ],
  ['listens nowhere', service({ listens: 'nowhere' }), { is: 'ready' }],
  ['starts', service({ phase: 'starting' }), { is: 'pending', why: 'web.1 is starting' }],
  ['sleeps', service({ phase: 'down' }, 'on-access'), { is: 'ready' }],
  ['waits for others', service({ phase: 'down' }), { is: 'pending', why: 'web waits for others' }],
  ['did its work', service({ phase: 'down', last: { exit: { how: 'code', code: 0 }, ago: 1 } }), { is: 'ready' }],
  ['failed', service({ phase: 'failed', last: crash }), { is: 'hopeless', why: 'web.1 failed: it exited with code 3' }],
  [
    'crashed',
    service({ phase: 'backoff', last: crash, retryIn: 1_500 }),
    { is: 'pending', why: 'web.1 exited with code 3 and is started again in 2s' },
  ],
  [
    'was stopped',
    service({ phase: 'down', cause: { reason: 'requested' } }),
    { is: 'hopeless', why: 'web.1 is down (requested)' },
  ],
])('a service that %s', (_, snapshot, standing) => {
  expect(standingOf(snapshot, ['web.1'], true)).toEqual(standing);
});

test('a manual service is waited for only by its name', () => {
  const manual = service({ phase: 'down' }, 'manual');
  expect(standingOf(manual, ['web.1'], false)).toEqual({ is: 'ready' });
  expect(standingOf(manual, ['web.1'], true)).toEqual({ is: 'hopeless', why: 'web.1 is not started' });
});
