import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { detachedMark } from '../../src/platform/mark.js';
import { eventually } from '../support/eventually.js';
import { live } from '../support/stage.js';
import { workspace } from '../support/workspace.js';

const node = process.execPath;

/** More than any system takes, in variables of which each may be. */
const bulk = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`V${n}`, 'x'.repeat(100_000)]));

describe('a life', () => {
  test('ends with the exit of its program', async () => {
    const { directory } = workspace({});
    expect(await live(directory, [node, 'exits-after.mjs', '3']).remains).toMatchObject({
      exit: { how: 'code', code: 3 },
    });
    expect(await live(directory, ['/bin/sh', '-c', 'kill -SEGV $$']).remains).toMatchObject({
      exit: { signal: 'SIGSEGV' },
    });
  });

  test('whose program does not exist ends with 127 and the shell’s words', async () => {
    const { directory } = workspace({});
    const life = live(directory, ['no-such-program']);
    expect((await life.remains).exit).toEqual({ how: 'code', code: 127 });
    expect(life.text).toMatch(/^proclet: .*no-such-program: not found/);
  });

  test('whose directory does not exist says so', async () => {
    const { directory } = workspace({});
    const { exit } = await live(`${directory}/nowhere`, ['true']).remains;
    expect(exit).toEqual({ how: 'spawn-error', message: `its directory ${directory}/nowhere does not exist` });
  });

  test.each<[string, [string, ...string[]], Record<string, string>, string | RegExp]>([
    ['a variable', ['true'], { BIG: 'x'.repeat(140_000) }, 'its environment has a variable BIG of 140004 bytes'],
    ['a word of its command line', ['echo', 'x'.repeat(140_000)], {}, 'its command line has a word of 140000 bytes'],
    ['all together', ['true'], bulk, /^its command line and environment have \d+ bytes, more than/],
  ])('for which %s is too long says which, and what to do', async (_, argv, env, words) => {
    const { directory } = workspace({});
    const { exit } = await live(directory, argv, { env }).remains;
    expect(exit).toEqual({ how: 'spawn-error', message: expect.stringMatching(words) });
  });

  test('has the environment, the umask and the directory it was given, and no other environment', async () => {
    const { directory, write } = workspace({ 'inner/file': '' });
    const life = live(
      `${directory}/inner`,
      ['/bin/sh', '-c', 'umask; pwd; env | cut -d= -f1 | sort | xargs; echo "$A"'],
      {
        env: { A: 'b  c "d"' },
        umask: '0027',
      },
    );
    await life.remains;
    write('done', '');
    expect(life.text.split('\n').slice(0, 4)).toEqual([
      '0027',
      `${directory}/inner`,
      'A PATH PORT PROCLET_GENERATION PROCLET_MARK PWD',
      'b  c "d"',
    ]);
  });

  test('starts with no signal ignored, whatever proclet ignores', async () => {
    const { directory } = workspace({});
    const life = live(directory, ['/bin/sh', '-c', 'grep SigIgn /proc/self/status']);
    await life.remains;
    expect(life.text).toMatch(/SigIgn:\s+0+$/m);
  });

  test('shows a prompt without a newline, and then the whole line', async () => {
    const { directory } = workspace({});
    const life = live(directory, [
      '/bin/sh',
      '-c',
      'mkfifo go; printf "name? "; read -r answer <go; echo "hello $answer"',
    ]);
    const prompt = { text: 'name? ', end: 'open' };
    await eventually(() => expect(life.outputs).toContainEqual(expect.objectContaining(prompt)));
    writeFileSync(`${directory}/go`, 'you\n');
    await life.remains;
    expect(life.text).toBe('name? hello you\n');
  });
});

describe('ending a tree', () => {
  test('signals every process of it, also in a session of its own, and kills what ignores the signal', async () => {
    const { directory, survivors } = workspace({});
    const life = live(directory, [node, 'spawns-a-setsid-grandchild.mjs']);
    await life.line('ready');
    life.child.signal('SIGTERM');
    await eventually(() => expect(life.orphans).toEqual([1]));
    expect(survivors()).toHaveLength(1);
    life.child.kill();
    expect(await life.remains).toMatchObject({
      exit: { how: 'signal', signal: 'SIGTERM' },
      processes: 2,
      survivors: [],
    });
    expect(survivors()).toEqual([]);
  });

  test.each([
    ['keeps its environment', '', '</dev/null >/dev/null 2>&1'],
    ['keeps its output', 'env -i', '</dev/null >/dev/null'],
    ['keeps its input', 'env -i', '>/dev/null 2>&1'],
  ])('finds a daemon that sets its own limits and %s', async (_, clear, redirections) => {
    const { directory, survivors } = workspace({});
    const daemon = `ulimit -S -w unlimited; exec ${clear} setsid sh -c 'echo $$ >daemon; exec sleep 1000' ${redirections}`;
    const life = live(directory, [
      '/bin/sh',
      '-c',
      `exec 3<&0; (${daemon} <&3) & until [ -s daemon ]; do :; done; echo ready`,
    ]);
    await eventually(() => expect(life.orphans).toEqual([1]));
    life.child.signal('SIGTERM');
    expect(await life.remains).toMatchObject({ exit: { how: 'code', code: 0 }, survivors: [] });
    expect(survivors()).toEqual([]);
  });

  test('wakes a stopped process so that it can obey', async () => {
    const { directory } = workspace({});
    const life = live(directory, [node, 'exits-after.mjs', '0', '100000']);
    await life.line('ready');
    process.kill(life.child.pid, 'SIGSTOP');
    await eventually(() => expect(readFileSync(`/proc/${life.child.pid}/stat`, 'latin1')).toMatch(/\) T /));
    life.child.signal('SIGTERM');
    expect((await life.remains).exit).toEqual({ how: 'signal', signal: 'SIGTERM' });
  });

  test('does not wait for a pipe that a process outside the tree holds', async () => {
    const { directory, survivors } = workspace({});
    const escaped = `(ulimit -S -w ${detachedMark}; exec setsid sh -c '>escaped; exec sleep 1000') &`;
    const escaping = `${escaped} while [ ! -e escaped ]; do :; done; echo last words`;
    const life = live(directory, ['/bin/sh', '-c', escaping]);
    await life.line('last words');
    const { exit } = await life.remains;
    expect(exit).toEqual({ how: 'code', code: 0 });
    for (const { pid } of survivors()) process.kill(pid, 'SIGKILL');
    await eventually(() => expect(survivors()).toEqual([]));
  });

  test('asked for twice, or after the end, does nothing more', async () => {
    const { directory } = workspace({});
    const life = live(directory, [node, 'exits-after.mjs', '0', '100000']);
    await life.line('ready');
    life.child.signal('SIGTERM');
    life.child.signal('SIGTERM');
    await life.remains;
    life.child.pass('SIGTERM');
    life.child.kill();
    life.child.abandon();
  });
});
