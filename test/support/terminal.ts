/**
 * A real terminal: a tmux server of its own with one shell in it, in which `proclet` is a command. Waits for
 * what is on the screen. Ends, with everything in it, before the workspace looks for survivors.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { environment, question } from './environment.js';
import { eventually } from './eventually.js';
import { isRunning } from './survivors.js';
import { bin, type Workspace } from './workspace.js';

export interface Terminal {
  /** The rows of the screen, without what is blank at their ends. */
  rows(): string[];
  /** Types a line and presses Enter. */
  enter(text: string): void;
  /** Types a text as it is. */
  type(text: string): void;
  /** Presses a key by tmux's name for it: `C-c`, `Escape`. */
  press(key: string): void;
  /** Resolves when a row is, or matches, this. */
  shows(row: string | RegExp): Promise<void>;
  /** Resolves when the shell waits for a command. */
  isBack(): Promise<void>;
  /** What stands on the screen with its colours. */
  coloured(): string;
  /** Closes the window as a person does who is tired of it. */
  close(): void;
}

/**
 * Whether a program is installed. Where tests may not be skipped (`NOTHING_SKIPS=true`) its absence is an error.
 */
export function has(program: string): boolean {
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { env: environment() }).status === 0;
  if (!found && question('NOTHING_SKIPS') === 'true')
    throw new Error(`${program} is not installed, and nothing may be skipped`);
  if (!found) console.warn(`${program} is not installed: its tests are skipped`);
  return found;
}

const prompt = 'ready>';
const open: { tmux: (...args: string[]) => string; server: number; ws: Workspace }[] = [];
let terminals = 0;

/** `shell` is a command without a prompt of its own making. */
export async function terminal(ws: Workspace, shell = 'sh'): Promise<Terminal> {
  terminals += 1;
  const socket = `proclet-${process.pid}-${terminals}`;
  writeFileSync(join(ws.directory, 'proclet'), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`, {
    mode: 0o755,
  });
  const env = environment({
    PATH: `${ws.directory}:${environment()['PATH']}`,
    HOME: ws.directory,
    TMUX_TMPDIR: ws.directory,
    XDG_RUNTIME_DIR: join(ws.directory, '.run'),
    TERM: 'xterm-256color',
    LC_ALL: 'C.UTF-8',
  });
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      env,
      cwd: ws.directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  tmux('new-session', '-d', '-x', '100', '-y', '30', shell);
  const server = Number(tmux('display-message', '-p', '#{pid}'));
  open.push({ tmux, server, ws });
  const rows = () =>
    tmux('capture-pane', '-p')
      .split('\n')
      .map((row) => row.trimEnd());
  const shows = async (row: string | RegExp) => {
    const matches = (each: string) => (typeof row === 'string' ? each === row : row.test(each));
    await eventually(() => {
      const screen = rows();
      if (!screen.some(matches)) throw new Error(`no row is ${row} on the screen:\n${screen.join('\n')}`);
    });
  };
  await shows(/[#$]$/);
  const enter = (text: string) => void tmux('send-keys', '-l', text, ';', 'send-keys', 'Enter');
  enter(`PS1='${prompt} '; clear`);
  await shows(prompt);
  // A program may have left the cursor behind its last words or an echoed ^C.
  const isBack = () => eventually(() => expect(rows().findLast((row) => row !== '')).toMatch(/ready>$/));
  return {
    rows,
    shows,
    isBack,
    type: (text) => void tmux('send-keys', '-l', text),
    press: (key) => void tmux('send-keys', key),
    enter,
    coloured: () => tmux('capture-pane', '-p', '-e'),
    close: () => void tmux('kill-server'),
  };
}

// Registered after the workspace's own, and therefore called before it. The server's end takes a moment.
afterEach(async () => {
  for (const { tmux, server, ws } of open.splice(0)) {
    if (isRunning(server)) tmux('kill-server');
    await eventually(() => expect(ws.survivors()).toEqual([]));
  }
});
