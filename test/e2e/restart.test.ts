/** The promise: what crashes is started again, ever later; what never works is given up; the rest goes on. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { linesOf, statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

/** A command that ends when the file `told` is there. */
const untilTold = 'until [ -e told ]; do sleep 0.02; done';

test('a service that crashed is started again after a second, and the news says so', async () => {
  const ws = workspace({ Procfile: 'web: [ -e been ] && { echo well; exec sleep 600; }; touch been; exit 3' });
  const app = ws.proclet('start');
  await app.line(/web\.1 exited with code 3 after .*, restarting in 1s \(1st failure\)/);
  await app.line('web.1 | well');
  await app.line('proclet | web.1 is up again');
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
});

test('a service that was killed by a signal is started again, and the signal is named', async () => {
  const ws = workspace({ Procfile: 'web: [ -e been ] && exit 0; touch been; kill -SEGV $$' });
  const app = ws.proclet('start');
  expect(await statusOf(app)).toBe(0);
  expect(app.text).toMatch(/web\.1 was killed by SIGSEGV after .*, restarting in 1s \(1st failure\)/);
});

describe('the exit status of a run whose services ended by themselves', () => {
  const never = (...tags: string[]) => `services: {${tags.map((tag) => `${tag}: {restart: never}`).join(', ')}}`;

  test('is 0 when all were done', async () => {
    const app = workspace({ Procfile: 'web: true\nworker: sleep 0.1' }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(app.text).toMatch(/proclet \| web\.1 exited with code 0 after .*: done$/m);
    expect(app.text).toMatch(/proclet \| worker\.1 exited with code 0 after .*: done$/m);
  });

  test('is that of the service that failed, whatever the others did later', async () => {
    const ws = workspace({
      Procfile: `web: exit 3\nworker: ${untilTold}; exit 4`,
      'proclet.yml': never('web', 'worker'),
    });
    const app = ws.proclet('start');
    await app.line('web.1 exited with code 3');
    ws.write('told', '');
    expect(await statusOf(app)).toBe(3);
    expect(app.text).toMatch(/proclet \| worker\.1 exited with code 4 after/);
  });

  test.each([
    ['SEGV', 139],
    ['KILL', 137],
  ])('is 128 and the number of the signal that killed it: %s', async (signal, status) => {
    const ws = workspace({ Procfile: `web: kill -${signal} $$`, 'proclet.yml': never('web') });
    const app = ws.proclet('start');
    expect(await statusOf(app)).toBe(status);
    expect(app.text).toContain(`web.1 was killed by SIG${signal}`);
  });

  test('is 127 for a program that does not exist', async () => {
    const app = workspace({ Procfile: 'web: no-such-program', 'proclet.yml': never('web') }).proclet('start');
    expect(await statusOf(app)).toBe(127);
    expect(app.text).toMatch(/web\.1 exited with code 127 \(command not found\)/);
    expect(linesOf(app, 'web.1').join()).toMatch(/no-such-program: .*not found/);
  });
});

test('a command that is not there is told once, and tried again when it is asked for', async () => {
  const ws = workspace({ Procfile: 'web: no-such-program\nother: exec sleep 600' });
  const app = ws.proclet('start');
  await app.line(/web\.1 failed: it exited with code 127 \(command not found\)/);
  expect(await statusOf(ws.proclet('restart', 'web', '--no-wait'))).toBe(0);
  await eventually(() => expect(app.text.match(/web\.1 failed: /g)).toHaveLength(2));
  expect(app.text).not.toContain('restarting in');
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
});

test('a service fails with the last of its start attempts, which is said once, and a restart gives it all of them again', async () => {
  const ws = workspace({
    Procfile: 'web: exit 3\nother: exec sleep 600',
    'proclet.yml': 'services: {web: {start-attempts: 2}}',
  });
  const app = ws.proclet('start');
  const failed = /web\.1 failed: 2 starts in a row ended too early, the last with code 3/g;
  await app.line(failed);
  expect(app.text.match(/web\.1 exited with code 3/g)).toHaveLength(1);
  expect(await statusOf(ws.proclet('restart', 'web', '--no-wait'))).toBe(0);
  await eventually(() => expect(app.text.match(failed)).toHaveLength(2));
  expect(app.text.match(/web\.1 exited with code 3/g)).toHaveLength(2);
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  expect(ws.survivors()).toEqual([]);
});

describe('--on-exit', () => {
  test.each([0, 3])('stop ends everything with the first that ends, with its status: %i', async (status) => {
    const ws = workspace({ Procfile: `web: sleep 0.2; exit ${status}\nworker: exec sleep 600` });
    const app = ws.proclet('start', '--on-exit', 'stop');
    expect(await statusOf(app)).toBe(status);
    expect(app.text).toMatch(/proclet \| worker\.1 stopped/);
  });

  test('stop passes on a death by signal as 128 and its number', async () => {
    const ws = workspace({ Procfile: 'web: kill -ABRT $$\nworker: exec sleep 600' });
    expect(await statusOf(ws.proclet('start', '--on-exit', 'stop'))).toBe(134);
  });

  test('ignore lets the others go on and revives nothing', async () => {
    const ws = workspace({ Procfile: `web: exit 3\nworker: ${untilTold}; echo worked` });
    const app = ws.proclet('start', '--on-exit', 'ignore');
    expect(await app.line('web.1 exited with code 3')).not.toContain('restarting');
    ws.write('told', '');
    expect(await statusOf(app)).toBe(3);
    expect(linesOf(app, 'worker.1')).toEqual(['worked']);
    expect(app.text.match(/web\.1 started/g)).toHaveLength(1);
  });
});

describe('restart of proclet.yml', () => {
  test('always starts again what ended well', async () => {
    const ws = workspace({ Procfile: 'web: echo life $$', 'proclet.yml': 'services: {web: {restart: always}}' });
    const app = ws.proclet('start');
    await app.line(/web\.1 exited with code 0 after .*, restarting in 1s/);
    await eventually(() => expect(linesOf(app, 'web.1')).toHaveLength(2));
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
  });

  test('always shows what each life prints, also when it is the same as before', async () => {
    const ws = workspace({ Procfile: 'web: echo life', 'proclet.yml': 'services: {web: {restart: always}}' });
    const app = ws.proclet('start');
    await app.line('restarting in 2s');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(linesOf(app, 'web.1')).toEqual(['life', 'life']);
  });

  test('never leaves alone what crashed', async () => {
    const ws = workspace({
      Procfile: `web: exit 3\nworker: ${untilTold}`,
      'proclet.yml': 'services: {web: {restart: never}}',
    });
    const app = ws.proclet('start');
    expect(await app.line('web.1 exited with code 3')).not.toContain('restarting');
    ws.write('told', '');
    expect(await statusOf(app)).toBe(3);
    expect(app.text.match(/web\.1 started/g)).toHaveLength(1);
  });
});

test('a status that counts as success is done: what is after it starts, and the run ends with 0', async () => {
  const ws = workspace({
    Procfile: 'seed: exit 3\nweb: echo seeded; kill -TERM $$; sleep 60',
    'proclet.yml': 'services:\n  seed: {success-exit-status: 3}\n  web: {after: [seed], success-exit-status: [143]}\n',
  });
  const app = ws.proclet('start');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'web.1')).toEqual(['seeded']);
  expect(linesOf(app, 'proclet').join('\n')).toMatch(/seed\.1 exited with code 3 \(expected\) after .*: done/);
  expect(linesOf(app, 'proclet').join('\n')).toMatch(/web\.1 was killed by SIGTERM \(expected\) after .*: done/);
  expect(ws.survivors()).toEqual([]);
});
