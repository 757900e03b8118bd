/**
 * Loaded before the built command line (`node --require`): makes calls of the platform fail as the system lets them
 * fail. What and where is in the variable FAULTS, as JSON:
 *
 *   { "record": FILE }                    fails nothing; appends each place that calls the platform to FILE, once
 *   { "site", "code", "for", "from", "hit" }  fails every call of that place with this error, from `from` ms after the
 *                                         start on, for `for` ms since the first (0: the first alone); makes the file `hit`
 *
 * A place is the function that is called and the two innermost frames in the bundle.
 */
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const childProcess = require('node:child_process');
const { constants } = require('node:os');

const plan = JSON.parse(process.env.FAULTS ?? '{}');
delete process.env.FAULTS;
const { appendFileSync, writeFileSync } = fs;
const seen = new Set();
const born = Date.now();
let hitAt;
let isInside = false;

/** Where in the bundle a call comes from; undefined for calls of Node's own. */
function siteOf(name) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 12;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  // What loads modules and compiles the bundle is no call of the program's.
  const frames = stack.split('\n').flatMap((line) => /dist\/proclet\.cjs:(\d+:\d+)/.exec(line)?.[1] ?? []);
  return frames.length === 0 ? undefined : `${name} ${frames.slice(0, 2).join(' ')}`;
}

/** The error to fail with now, if any. */
function faultIn(name) {
  if (isInside) return undefined;
  isInside = true;
  try {
    const site = siteOf(name);
    if (site === undefined) return undefined;
    if (plan.record !== undefined && !seen.has(site)) {
      seen.add(site);
      appendFileSync(plan.record, `${site}\n`);
    }
    if (site !== plan.site || Date.now() - born < plan.from) return undefined;
    if (hitAt !== undefined && Date.now() - hitAt >= plan.for) return undefined;
    if (hitAt === undefined) {
      hitAt = Date.now();
      writeFileSync(plan.hit, name);
    }
    return plan.code;
  } finally {
    isInside = false;
  }
}

function errorOf(code, syscall, path) {
  const error = new Error(`${code}: injected, ${syscall}${typeof path === 'string' ? ` '${path}'` : ''}`);
  Object.assign(error, { code, errno: -constants.errno[code], syscall });
  if (typeof path === 'string') error.path = path;
  return error;
}

function wrap(owner, name, label, fail, after) {
  const original = owner[name];
  if (typeof original !== 'function') return;
  const wrapped = function (...args) {
    const code = faultIn(label);
    if (code !== undefined && !after) return fail(code, args, this);
    // What Node calls for it is not a place of its own.
    const wasInside = isInside;
    isInside = true;
    try {
      const answer = Reflect.apply(original, this, args);
      return code === undefined ? answer : fail(code, args, this);
    } finally {
      isInside = wasInside;
    }
  };
  owner[name] = Object.assign(wrapped, original);
}

const throwing = (name) => (code, args) => {
  throw errorOf(code, name.replace(/(File)?Sync$/, ''), args[0]);
};
const plainSync = ['open', 'read', 'readFile', 'write', 'writeFile', 'readdir', 'stat', 'lstat', 'fstat', 'mkdir'];
const moreSync = [
  'mkdtemp',
  'rm',
  'rmdir',
  'unlink',
  'rename',
  'link',
  'chmod',
  'access',
  'readlink',
  'realpath',
  'fsync',
];
for (const name of [...plainSync, ...moreSync]) wrap(fs, `${name}Sync`, `${name}Sync`, throwing(`${name}Sync`));
wrap(fs, 'closeSync', 'closeSync', throwing('closeSync'), true);
wrap(fs, 'watch', 'watch', throwing('watch'));
const calls = [
  'open',
  'write',
  'writev',
  'read',
  'stat',
  'lstat',
  'fstat',
  'readdir',
  'mkdir',
  'unlink',
  'rename',
  'access',
  'rm',
];
for (const name of calls) {
  wrap(fs, name, name, (code, args) => {
    process.nextTick(args.at(-1), errorOf(code, name, args[0]));
  });
}
for (const name of ['open', 'stat', 'lstat', 'readdir', 'realpath', 'access', 'rename', 'unlink', 'mkdir']) {
  wrap(fs.promises, name, `promises.${name}`, async (code, args) => {
    throw errorOf(code, name, args[0]);
  });
}
const failed = (code, args) => ({
  ...{ pid: 0, status: null, signal: null, output: null, stdout: null, stderr: null },
  error: errorOf(code, `spawnSync ${args[0]}`, args[0]),
});
wrap(childProcess, 'spawnSync', 'spawnSync', failed);
wrap(childProcess, 'execFileSync', 'execFileSync', (code, args) => {
  throw Object.assign(failed(code, args).error, { status: null, pid: 0 });
});
// Below Node's own spawn, so that it does with the error what it does with the system's.
wrap(process.binding('process_wrap').Process.prototype, 'spawn', 'spawn', (code) => -constants.errno[code]);
wrap(net, '_createServerHandle', 'bind', (code) => -constants.errno[code]);
wrap(net.Server.prototype, 'listen', 'listen', (code, _args, server) => {
  process.nextTick(() => server.emit('error', errorOf(code, 'listen')));
  return server;
});
wrap(process, 'kill', 'kill', throwing('kill'));
