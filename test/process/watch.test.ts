/** Files of a real file system, watched as a run watches them. */
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClock } from '../../src/platform/clock.js';
import { sharedFileSystem } from '../../src/platform/file-systems.js';
import { type WatchOptions, watchFiles } from '../../src/platform/watch.js';
import { eventually } from '../support/eventually.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of ends.splice(0).reverse()) await end();
});

function directory(files: Record<string, string> = {}): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'proclet-seen-')));
  ends.push(() => rmSync(path, { recursive: true, force: true }));
  vi.stubEnv('XDG_RUNTIME_DIR', join(path, '.runtime'));
  for (const [name, text] of Object.entries(files)) write(join(path, name), text);
  return path;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** As editors do, and version control. */
function save(path: string, text: string): void {
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
}

function link(target: string, path: string): void {
  symlinkSync(target, path);
}

/** What `ln -sfn` and Capistrano do. */
function relink(target: string, path: string): void {
  symlinkSync(target, `${path}~`);
  renameSync(`${path}~`, path);
}

function watching(root: string, pattern: string | readonly string[], more: Partial<WatchOptions> = {}) {
  const clock = createClock();
  const told: string[] = [];
  const warned: string[] = [];
  const watcher = watchFiles({
    ...{ clock, root, own: [], poll: 0, since: Infinity },
    patterns: new Map([['web', [pattern].flat()]]),
    changed: (_tag, path) => told.push(path),
    warn: (text) => warned.push(text),
    ...more,
  });
  ends.push(clock.close, () => watcher.close());
  /** What was told of everything until now. */
  const news = async () => {
    await watcher.settled('web');
    return told.splice(0);
  };
  return { told, warned, watcher, news, ready: () => watcher.settled('web') };
}

describe.each([
  ['the kernel tells', 0],
  ['files are looked at', 60_000],
])('where %s', (_, poll) => {
  test('a pattern for which there is no file is said once, with the service', async () => {
    const root = directory({ 'lib/a.ts': '1', 'lib/b.json': '1' });
    const { warned, ready } = watching(root, ['lib/*.{ts,json}', 'lib', 'lbi', 'lib/**/*.tsx'], { poll });
    await ready();
    await eventually(() =>
      expect(warned).toEqual([
        'web: no file is there that its watch pattern lbi means',
        'web: no file is there that its watch pattern lib/**/*.tsx means',
      ]),
    );
  });

  test('who asks after a change has been told of it, however it was made', async () => {
    const root = directory({ 'lib/a.txt': '1', 'lib/deep/b.txt': '1' });
    const { news, ready } = watching(root, 'lib', { poll });
    await ready();
    write(join(root, 'lib/a.txt'), '22');
    expect(await news()).toEqual(['lib/a.txt']);
    save(join(root, 'lib/deep/b.txt'), '2');
    expect(await news()).toEqual(['lib/deep/b.txt']);
    write(join(root, 'lib/new/er/c.txt'), '1');
    expect(await news()).toEqual(['lib/new/er/c.txt']);
    unlinkSync(join(root, 'lib/new/er/c.txt'));
    expect(await news()).toEqual(['lib/new/er/c.txt']);
    rmSync(join(root, 'lib'), { recursive: true });
    expect(await news()).toHaveLength(1);
    write(join(root, 'lib/a.txt'), '3');
    expect(await news()).toEqual(['lib/a.txt']);
    save(join(root, 'lib/a.txt'), '44');
    expect(await news()).toEqual(['lib/a.txt']);
    write(join(root, 'other.txt'), '1');
    expect(await news()).toEqual([]);
  });

  test('a project that is reached through a link, and a directory and a file that are links, out of it too', async () => {
    const top = directory({ 'real/app/x': '', 'real/lib/a.txt': '1', 'far/b.txt': '1', 'far/conf.txt': '1' });
    link('real', join(top, 'link'));
    link('../lib', join(top, 'real/app/lib'));
    link(join(top, 'far'), join(top, 'real/app/far'));
    link('../../far/conf.txt', join(top, 'real/app/conf.txt'));
    const root = join(top, 'link/app');
    const { news, ready } = watching(root, ['.', '!far/conf.txt'], { poll });
    await ready();
    for (const [file, name] of [
      ['real/app/x', 'x'],
      ['real/lib/a.txt', 'lib/a.txt'],
      ['far/b.txt', 'far/b.txt'],
      ['far/conf.txt', 'conf.txt'],
    ] as const) {
      write(join(top, file), 'in place');
      expect(await news(), file).toEqual([name]);
      save(join(top, file), 'another');
      expect(await news(), file).toEqual([name]);
    }
  });

  test('a link that is pointed elsewhere, on the way to the project, to what is watched, and below it', async () => {
    const top = directory({ 'releases/1/lib/a.txt': '1', 'releases/2/lib/a.txt': '1', 'releases/3/lib/a.txt': '1' });
    link('releases/1', join(top, 'current'));
    const own = watching(join(top, 'current'), 'lib', { poll });
    const outer = watching(top, 'current/**/*.txt', { poll });
    await Promise.all([own.ready(), outer.ready()]);
    relink('releases/2', join(top, 'current'));
    expect(await own.news()).toEqual(['lib/a.txt']);
    expect(await outer.news()).toEqual(['current/lib/a.txt']);
    write(join(top, 'releases/2/lib/a.txt'), '22');
    expect(await own.news()).toEqual(['lib/a.txt']);
    write(join(top, 'releases/1/lib/a.txt'), '22');
    expect(await own.news()).toEqual([]);
    unlinkSync(join(top, 'current'));
    await own.news();
    link('releases/3', join(top, 'current'));
    expect(await own.news()).toEqual(['lib/a.txt']);
    save(join(top, 'releases/3/lib/a.txt'), '333');
    expect(await own.news()).toEqual(['lib/a.txt']);
    await outer.news();
  });

  test('links in circles and links to nothing end, and what they come to lead to is seen', async () => {
    const root = directory({ 'a/b/x.txt': '1' });
    link('..', join(root, 'a/b/up'));
    link('self', join(root, 'self'));
    link('../a', join(root, 'a/again'));
    link('later.txt', join(root, 'dangling.txt'));
    const { news, ready } = watching(root, ['a', 'dangling.txt'], { poll });
    await ready();
    save(join(root, 'a/b/x.txt'), '22');
    expect(await news()).toEqual(['a/b/x.txt']);
    write(join(root, 'later.txt'), '1');
    expect(await news()).toEqual(['dangling.txt']);
  });
});

test('an access right behind a save is told of it, a hundred times', async () => {
  const root = directory({ 'version.txt': '0' });
  const { news, ready } = watching(root, '.');
  await ready();
  for (let n = 1; n <= 100; n += 1) {
    if (n % 2 === 0) write(join(root, 'version.txt'), String(n));
    else save(join(root, 'version.txt'), String(n));
    expect(await news()).toEqual(['version.txt']);
  }
});

test('nothing of proclet itself is in what is watched, and nothing stays when it is closed', async () => {
  const root = directory({ a: '1' });
  vi.stubEnv('XDG_RUNTIME_DIR', root);
  const { news, ready } = watching(root, '.');
  await ready();
  for (let n = 0; n < 10; n += 1) expect(await news()).toEqual([]);
});

test('variables for a library that others use for this change nothing', async () => {
  vi.stubEnv('CHOKIDAR_USEPOLLING', '1');
  vi.stubEnv('CHOKIDAR_INTERVAL', '3600000');
  const root = directory({ a: '1' });
  const { told, ready } = watching(root, '.');
  await ready();
  save(join(root, 'a'), '2');
  await eventually(() => expect(told).toEqual(['a']));
});

test('without being asked it looks as often as it was told to', async () => {
  const root = directory({ a: '1' });
  const { told, ready } = watching(root, '.', { poll: 20 });
  await ready();
  save(join(root, 'a'), '2');
  await eventually(() => expect(told).toEqual(['a']));
});

test.each([
  [0x6969, 'NFS'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x786f4256, 'vboxsf'],
  [-11317950, 'CIFS'],
  [0xef53, undefined],
  [0x01021994, undefined],
])('the file system of type %i is shared as %s', (type, name) => {
  expect(sharedFileSystem('/', () => type)).toBe(name);
});

test.each([0, 20])(
  'on another system a library tells of changes, whatever its variables say (poll: %i)',
  async (poll) => {
    vi.stubEnv('CHOKIDAR_USEPOLLING', poll > 0 ? 'false' : '1');
    vi.stubEnv('CHOKIDAR_INTERVAL', '60000');
    const root = directory({ 'lib/a.txt': '1', 'other.txt': '1' });
    link('lib', join(root, 'linked'));
    const { told, ready } = watching(root, ['lib', 'linked'], { poll, system: 'darwin' });
    await ready();
    expect(process.env['CHOKIDAR_INTERVAL']).toBe('60000');
    vi.unstubAllEnvs();
    write(join(root, 'other.txt'), '22');
    save(join(root, 'lib/a.txt'), '22');
    await eventually(() => expect(told.length).toBeGreaterThan(0));
    expect(told.filter((path) => !/^(lib|linked)\/a\.txt$/.test(path))).toEqual([]);
    told.length = 0;
    write(join(root, 'lib/new/b.txt'), '1');
    await eventually(() => expect(told).not.toEqual([]));
  },
);
