/** Other ways to start proclet than `Workspace.proclet`, and what to make of what it printed. */
import { expect } from 'vitest';
import { gestureLasts } from '../../src/gesture.js';
import { eventually } from './eventually.js';
import { type App, bin, type Workspace } from './workspace.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Starts proclet with further variables in its environment. */
export function procletWith(ws: Workspace, env: Variables, ...args: string[]): App {
  return ws.start(process.execPath, [bin, ...args], { env });
}

/** Starts proclet at the head of a process group, as an interactive shell starts a job. */
export function asJob(ws: Workspace, ...args: string[]): App {
  return ws.start(process.execPath, [bin, ...args], { detached: true });
}

/** What a terminal does with the key: the signal goes to the whole foreground process group. */
export function pressCtrlC(job: App): void {
  process.kill(-job.pid, 'SIGINT');
}

/** The same once more. Sooner after the first it would belong to that one. */
export async function pressCtrlCAgain(job: App): Promise<void> {
  const first = performance.now();
  await eventually(() => expect(performance.now() - first).toBeGreaterThan(gestureLasts));
  pressCtrlC(job);
}

/** Runs a shell script in which `proclet` is a command, and `node` is the Node that runs the tests. */
export function shell(ws: Workspace, script: string): App {
  const functions = `proclet() { "$NODE" "$BIN" "$@"; }; node() { "$NODE" "$@"; }`;
  return ws.start('sh', ['-c', `${functions}\n${script}`], { env: { NODE: process.execPath, BIN: bin } });
}

/** The exit status once everything that it printed is here; the signal's name if one ended it. */
export async function statusOf(app: App): Promise<number | string> {
  const exit = await app.exited;
  if (exit.how === 'spawn-error') throw new Error(exit.message);
  return exit.how === 'code' ? exit.code : exit.signal;
}

/** What stands behind `name |` so far, line by line, from stdout with or without timestamps. */
export function linesOf(app: App, name: string): string[] {
  return app.stdout.split(/\r?\n/).flatMap((line) => {
    const [, who, text] = /^(?:\d\d:\d\d:\d\d )?(\S+) *\| (.*)$/.exec(line) ?? [];
    return who === name && text !== undefined ? [text] : [];
  });
}

/** The variables that a service printed with `env`. */
export function variablesOf(app: App, name: string): Record<string, string> {
  const pairs = linesOf(app, name).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(pairs);
}
