import { expect, test } from 'vitest';
import { buildPlan } from '../../../src/plan/build-plan.js';
import { describePlan } from '../../../src/plan/describe-plan.js';
import { settingsWith } from '../../support/settings.js';

test('a plan is described by what was decided, and shows no value it does not own', () => {
  const plan = buildPlan({
    procfile: {
      path: 'Procfile',
      entries: [
        { tag: 'web', command: 'bin/web -p $PORT', line: 1 },
        { tag: 'job-queue', command: 'bin/jobs', line: 2 },
      ],
    },
    config: {
      path: 'proclet.yml',
      defaults: {},
      services: {
        web: { instances: 2, ttl: 1_800_000 },
        'job-queue': { directory: 'jobs', user: 'www', umask: '022', 'stop-signal': 'SIGINT', env: { SECRET: 'hush' } },
      },
      places: {},
    },
    settings: settingsWith({ grace: { all: 10_000, tags: {} } }),
    root: '/project',
    env: { PATH: '/bin', PROCLET_PORT_OTHER: '1' },
    dotenv: { TOKEN: 'hush' },
    envFiles: {},
  });
  expect(describePlan(plan)).toBe(`web.1
  port        5000
  command     bin/web -p $PORT
  ttl         30m
  idle        for ever
  grace       SIGTERM to the leader, SIGKILL after 10s
  restart     on-failure
  environment PORT=5000 PS=web.1 PROCLET_TAG=web PROCLET_INSTANCE=1 PROCLET_PORT_WEB=5000 PROCLET_PORT_JOB_QUEUE=5100

web.2
  port        5001
  command     bin/web -p $PORT
  ttl         30m
  idle        for ever
  grace       SIGTERM to the leader, SIGKILL after 10s
  restart     on-failure
  environment PORT=5001 PS=web.2 PROCLET_TAG=web PROCLET_INSTANCE=2 PROCLET_PORT_WEB=5000 PROCLET_PORT_JOB_QUEUE=5100

job-queue.1
  port        5100
  command     bin/jobs
  directory   /project/jobs
  user        www
  umask       022
  ttl         for ever
  idle        for ever
  grace       SIGINT to the tree, SIGKILL after 10s
  restart     on-failure
  environment PORT=5100 PS=job-queue.1 PROCLET_TAG=job-queue PROCLET_INSTANCE=1 PROCLET_PORT_WEB=5000 PROCLET_PORT_JOB_QUEUE=5100
`);
});
