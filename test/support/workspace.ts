import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { Exit } from '../../src/model.js';
import { environment } from './environment.js';
import { eventually } from './eventually.js';
import { claimPorts, releasePorts } from './port-blocks.js';
import { survivors } from './survivors.js';

const fixtures = resolve(import.meta.dirname, '../fixtures');
export const bin = resolve(import.meta.dirname, '../../bin/proclet.cjs');
export interface App {
  readonly child: ChildProcess;
  readonly pid: number;
  /** All of stdout and stderr so far, columns collapsed to one space. */
  readonly text: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves once a line contains the text. */
  line(text: string | RegExp, within?: number): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
}

export interface Workspace {
  readonly directory: string;
  /** A base port of this workspace's own; the next 200 are too. */
  readonly port: number;
  proclet(...args: string[]): App;
  start(
    command: string,
    args: string[],
    options?: {
      env?: Record<string, string | undefined>;
      detached?: boolean;
      /** Nobody reads its standard output. */
      unread?: boolean;
    },
  ): App;
  write(path: string, text: string): void;
  /** Writes a file in one step, as editors do: who watches it sees one change, and never half a file. */
  save(path: string, text: string): void;
  read(path: string): string;
  survivors(): { pid: number; command: string }[];
}

interface Opened {
  readonly directory: string;
  readonly apps: App[];
  release(): unknown;
}

const open: Opened[] = [];

/**
 * A directory with these files and every fixture. After the test nothing that ran in it may be left. Tests that run
 * beside each other say when each has finished: `onTestFinished` of its context.
 */
export function workspace(files: Record<string, string>, onFinished?: (end: () => Promise<void>) => void): Workspace {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'proclet-')));
  const apps: App[] = [];
  for (const name of readdirSync(fixtures)) symlinkSync(join(fixtures, name), join(directory, name));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  let port: number | undefined;
  const opened: Opened = { directory, apps, release: () => port !== undefined && releasePorts(port) };
  if (onFinished === undefined) open.push(opened);
  else onFinished(() => close(opened));

  const env = {
    HOME: directory,
    XDG_RUNTIME_DIR: join(directory, '.run'),
    XDG_CACHE_HOME: resolve(import.meta.dirname, '../../node_modules/.cache'),
  };
  const start: Workspace['start'] = (command, args, options = {}) => {
    const child = spawn(command, args, { cwd: directory, ...options, env: environment({ ...env, ...options.env }) });
    const app = follow(child, options.unread);
    apps.push(app);
    return app;
  };
  return {
    directory,
    get port() {
      if (port === undefined) {
        port = claimPorts();
      }
      return port;
    },
    write,
    save(path, text) {
      const draft = `${directory}.draft`;
      writeFileSync(draft, text);
      renameSync(draft, join(directory, path));
    },
    read: (path) => readFileSync(join(directory, path), 'utf8'),
    start,
    proclet: (...args) => start(process.execPath, [bin, ...args]),
    survivors: () => survivors(directory),
  };
}

function follow(child: ChildProcess, unread = false): App {
  let stdout = '';
  let stderr = '';
  if (!unread) {
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
  }
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const text = () => `${stdout}${stderr}`.replace(/ +/g, ' ');
  const exited = new Promise<Exit>((done, fail) => {
    child.once('error', fail);
    // Its streams close when they were read.
    child.once(unread ? 'exit' : 'close', (code, signal) =>
      done(signal ? { how: 'signal', signal } : { how: 'code', code: code ?? 0 }),
    );
  });
  return {
    child,
    pid: child.pid ?? 0,
    exited,
    get text() {
      return text();
    },
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    line: (wanted, within) =>
      eventually(() => {
        const found = text()
          .split('\n')
          .find((line) => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line)));
        if (found === undefined) throw new Error(`no line with ${wanted} in:\n${text()}`);
        return found;
      }, within),
    signal: (signal) => void child.kill(signal),
  };
}

async function close({ directory, apps, release }: Opened): Promise<void> {
  for (const app of apps) if (app.child.exitCode === null && app.child.signalCode === null) app.signal('SIGTERM');
  const ended = Promise.all(apps.map((app) => app.exited));
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 15_000).unref())]);
  const left = survivors(directory);
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ESRCH: it ended by itself, too late
    }
  }
  await ended;
  // What was killed may have left its last file a moment ago.
  rmSync(directory, { recursive: true, force: true, maxRetries: 30, retryDelay: 20 });
  if (left.length === 0) release();
  expect(left, 'nothing that the test started is left').toEqual([]);
}

afterEach(async () => {
  for (const opened of open.splice(0)) await close(opened);
});
