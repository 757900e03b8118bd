#!/usr/bin/env node
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { printTable, printWhy, runTestLine } from './test-line.mjs';

const choices = {
  node: ['20.19', '22', '24', 'latest'],
  user: ['self', 'other'],
  cgroups: ['on', 'off'],
  home: ['on', 'off'],
};

const help = `Runs the test line wherever proclet is to work: under each Node, as you and as a user who is not root, with control
groups and without (PROCLET_CGROUP=off), with HOME and without. Each option may be given several times and restricts
the places; without any, it is every combination.

  scripts/test-everywhere [--node V] [--user U] [--cgroups C] [--home H] [--list] [-- VITEST ARGUMENTS]

  --node     ${choices.node.join(', ')}, or another version that npm's package 'node' has; 'this' for the one in use
  --user     self; other: a user proclet-tests, made for it and removed again (needs root, else it is left out)
  --cgroups  on (where the machine allows it), off
  --home     on, off
  --list     say which places, and run nothing
  --help     this

Nodes are installed under ${cacheDirectory()}, outside of the repository, and stay there. Each user has a copy of the
repository as it is, and its own home. The status is 1 if a test failed anywhere.

  scripts/test-everywhere --node 20.19 --node latest --user self --cgroups on --home on
  scripts/test-everywhere --user other -- --project process
`;

const several = { type: 'string', multiple: true };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ node: several, user: several, cgroups: several, home: several },
    ...{ list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  },
});
const root = resolve(import.meta.dirname, '..');
const isRoot = process.getuid?.() === 0;
const otherUser = 'proclet-tests';

const wrong = ['user', 'cgroups', 'home'].flatMap((name) =>
  (values[name] ?? []).filter((value) => !choices[name].includes(value)).map((value) => `--${name} ${value}`),
);
if (values.help) {
  process.stdout.write(help);
} else if (wrong.length > 0) {
  process.stderr.write(`test-everywhere: there is no ${wrong.join(', ')}; see --help\n`);
  process.exitCode = 2;
} else if (values.list) {
  for (const place of places()) console.log(nameOf(place));
} else {
  process.exitCode = await everywhere();
}

function places() {
  const of = (name) => values[name] ?? choices[name];
  const users = of('user').filter((user) => isRoot || user === 'self');
  return of('node').flatMap((node) =>
    users.flatMap((user) =>
      of('cgroups').flatMap((cgroups) => of('home').map((home) => ({ node, user, cgroups, home }))),
    ),
  );
}

function nameOf({ node, user, cgroups, home }) {
  const who = user === 'other' ? otherUser : isRoot ? 'root' : 'you';
  return `Node ${node} as ${who}, control groups ${cgroups}, HOME ${home}`;
}

async function everywhere() {
  const all = places();
  if (all.length === 0) process.stderr.write('test-everywhere: only root can run tests as another user\n');
  const rows = [['place', 'seconds', 'failed']];
  const failures = [];
  const homes = mkdtempSync(join(tmpdir(), 'proclet-everywhere-'));
  chmodSync(homes, 0o755);
  const copies = new Map();
  const isMade = all.some(({ user }) => user === 'other') && makeUser();
  process.once('exit', () => {
    rmSync(homes, { recursive: true, force: true });
    if (isMade) execFileSync('userdel', [otherUser], { stdio: 'ignore' });
  });
  for (const place of all) {
    const node = installed(place.node);
    const copy = copies.get(place.user) ?? copyFor(place.user, homes);
    copies.set(place.user, copy);
    const { home, ...ids } = copy;
    const env = {
      // Services run `node`, too.
      PATH: [join(node, '..'), ...pathOf(process.env)].join(':'),
      ...(place.home === 'on' && { HOME: home }),
      ...(place.cgroups === 'off' && { PROCLET_CGROUP: 'off' }),
      ...(process.env.NOTHING_SKIPS && { NOTHING_SKIPS: process.env.NOTHING_SKIPS }),
    };
    const { failed, seconds } = await runTestLine({
      ...{ node, directory: join(home, 'proclet'), env, args: positionals },
      ...ids,
    });
    rows.push([nameOf(place), seconds.toFixed(0), failed.length]);
    for (const each of failed) failures.push({ ...each, place });
    process.stderr.write(`${nameOf(place)}: ${seconds.toFixed(0)} s, ${failed.length} failed\n`);
  }
  printTable(rows);
  for (const { name, why, place } of failures) {
    console.log(`\n${nameOf(place)}: ${name}`);
    printWhy(why);
  }
  return failures.length > 0 || all.length === 0 ? 1 : 0;
}

function pathOf({ PATH = '' }) {
  return PATH.split(':').filter((directory) => !directory.includes('node_modules'));
}

function cacheDirectory() {
  // Not in a home: the other user has to read it.
  return join(tmpdir(), `proclet-nodes-${process.getuid?.() ?? 0}`);
}

/** The program of this Node, installed if it is not yet. */
function installed(version) {
  if (version === 'this') return process.execPath;
  const [cache, name] = [cacheDirectory(), `node-${process.platform}-${process.arch}`];
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  if (statSync(cache).uid !== process.getuid?.()) throw new Error(`${cache} is somebody else's`);
  const directory = join(cache, version);
  const program = join(directory, 'node_modules', name, 'bin', 'node');
  if (!existsSync(program)) {
    // npm's package `node` chooses one of these when it is installed, by a script that npm may not be allowed to run.
    const wanted = version === 'latest' ? execFileSync('npm', ['view', 'node', 'dist-tags.latest']) : version;
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', directory];
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    execFileSync('npm', [...args, `${name}@${String(wanted).trim()}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return program;
}

/** Whether the user had to be made. */
function makeUser() {
  try {
    execFileSync('id', [otherUser], { stdio: 'ignore' });
    return false;
  } catch {
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/bin/sh', otherUser]);
    return true;
  }
}

/** A home with a copy of the repository in it, what is ignored but for the packages left out; and whose it is. */
function copyFor(user, homes) {
  const home = join(homes, user);
  const copy = join(home, 'proclet');
  mkdirSync(copy, { recursive: true });
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '');
  for (const path of [...files.filter((path) => existsSync(join(root, path))), 'node_modules']) {
    const options = {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => !from.endsWith('node_modules/.cache'),
    };
    cpSync(join(root, path), join(copy, path), options);
  }
  if (user === 'self') return { home };
  const [uid, gid] = ['-u', '-g'].map((which) => Number(execFileSync('id', [which, otherUser])));
  for (const path of ['.', ...readdirSync(home, { recursive: true })]) lchownSync(join(home, path), uid, gid);
  return { home, uid, gid };
}
