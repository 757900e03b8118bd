/**
 * Kills the process that loads it at a call that changes the file system or starts a program: before the call with
 * the number KILL_AT, from 1. With KILL_IN=second only the process that `start -D` leaves behind.
 */
'use strict';
const fs = require('node:fs');
const childProcess = require('node:child_process');

const at = Number(process.env.KILL_AT);
const isSecond = process.env.PROCLET_DETACHED !== undefined;
let calls = 0;

function count() {
  calls += 1;
  if (calls === at) process.kill(process.pid, 'SIGKILL');
}

function watch(object, names) {
  for (const name of names) {
    const original = object[name];
    object[name] = function (...args) {
      // What is opened for reading is left as it is.
      if (!(name.startsWith('open') && (args[1] === 'r' || args[1] === undefined))) count();
      return original.apply(this, args);
    };
  }
}

if ((process.env.KILL_IN === 'second') === isSecond) {
  const sync = ['mkdir', 'mkdtemp', 'writeFile', 'open', 'link', 'rename', 'unlink', 'rmdir', 'rm', 'chmod'];
  watch(
    fs,
    sync.map((name) => `${name}Sync`),
  );
  watch(fs.promises, ['mkdir', 'open', 'rename', 'unlink']);
  watch(childProcess, ['spawn', 'spawnSync']);
}
