#!/usr/bin/env node
/**
 * Runs dist/proclet.cjs from V8's code cache, which saves compiling it anew at each start. The cache lives in
 * the user's cache directory, is named for the exact file and Node version, and is never needed: whatever goes
 * wrong with it, the file is compiled as usual.
 */
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const Module = require('node:module');
const cacheDirectory = require('./cache-directory.cjs');

const file = path.join(__dirname, '..', 'dist', 'proclet.cjs');
const source = fs.readFileSync(file, 'latin1'); // the build leaves nothing but ASCII in it
const { size, mtimeMs } = fs.statSync(file);

// A user whom the system does not know, and who has no HOME. Packages ask while they are loaded, and would throw.
try {
  os.homedir();
} catch {
  os.homedir = () => '';
}

// A working directory that was removed. A package would warn while it is loaded; src/working-directory.ts says what to do.
const { cwd } = process;
try {
  cwd();
} catch {
  process.cwd = () => {
    try {
      return cwd();
    } catch (cause) {
      throw Object.assign(new Error('the working directory is gone', { cause }), { code: 'NO_WORKING_DIRECTORY' });
    }
  };
}

// Without one a path that cannot be: whatever is done with the cache then fails.
const directory = cacheDirectory(process.env, os.homedir()) ?? '/dev/null/proclet';
// A command that runs services uses three times as many functions as one that asks about them, and reading them takes time.
const kind = ['start', 'run', 'launcher'].find((word) => process.argv.includes(word)) ?? 'other';
const version = `${process.version}-${process.arch}-${size}-${Math.trunc(mtimeMs)}`;
const name = `${version}-${kind}.v8`;
const cache = path.join(directory, name);

let cachedData;
try {
  // A cache that another user could have written would be code of theirs in our process.
  const { uid } = fs.statSync(cache);
  if (process.getuid === undefined || uid === process.getuid()) cachedData = fs.readFileSync(cache);
} catch {
  // not there yet
}
const script = new vm.Script(Module.wrap(source), { filename: file, cachedData });

const main = new Module(file, module);
main.filename = file;
main.paths = module.paths;
require.cache[file] = main;
script.runInThisContext()(main.exports, main.require.bind(main), main, file, path.dirname(file));
main.loaded = true;

main.exports.main(process.argv.slice(2), path.join(__dirname, '..'), saveCache);

/** Called once the command is under way, so that the functions it used are in the cache. */
function saveCache() {
  if (cachedData !== undefined && !script.cachedDataRejected) return;
  try {
    makeDirectory(directory);
    const draft = `${cache}.${process.pid}`;
    try {
      fs.writeFileSync(draft, script.createCachedData(), { mode: 0o600 });
      fs.renameSync(draft, cache);
    } catch {
      fs.rmSync(draft, { force: true }); // a full disk
    }
    for (const other of fs.readdirSync(directory)) {
      const place = path.join(directory, other);
      if (isOld(other) || isLeft(other, place)) fs.unlinkSync(place);
    }
  } catch {
    // a read-only home directory, a full disk: the next start is slower, that is all
  }
}

/** As src/platform/make-directory.ts does: Node's own `recursive` would try for ever in /proc. */
function makeDirectory(place) {
  const above = path.dirname(place);
  if (!fs.existsSync(above) && above !== path.dirname(above)) makeDirectory(above);
  if (!fs.existsSync(place)) fs.mkdirSync(place, { mode: 0o700 });
}

/** A cache of another version. */
function isOld(name) {
  return name.endsWith('.v8') && !name.startsWith(`${version}-`);
}

/** A draft is written in a moment: an older one is of a process that was killed. */
function isLeft(name, place) {
  return /\.v8\.\d+$/.test(name) && Date.now() - fs.statSync(place).mtimeMs > 60_000;
}
