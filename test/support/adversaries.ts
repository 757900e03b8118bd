/**
 * Runs the programs of test/fixtures/adversaries as the services of one proclet and knows for certain which of
 * them have anything left: each of their processes holds a FIFO open whose reader is here.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect } from 'vitest';
import { environment } from './environment.js';
import { eventually } from './eventually.js';
import { linesOf } from './launch.js';
import { has } from './terminal.js';
import { type App, bin, type Workspace, workspace } from './workspace.js';

interface Adversary {
  readonly name: string;
  readonly is: string;
  readonly command: readonly string[];
  readonly needs?: 'perl' | 'perl-x64';
}

const all: Adversary[] = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../fixtures/adversaries/list.json'), 'utf8'),
);

/** Why an adversary cannot run here; undefined when it can. */
function hindranceOf({ needs }: Adversary): string | undefined {
  if (needs === undefined) return undefined;
  if (needs === 'perl-x64' && process.arch !== 'x64') return 'needs an x86-64';
  return has('perl') ? undefined : 'needs perl';
}

/** The adversaries that can run here. */
export const adversaries: readonly string[] = all.filter((one) => !hindranceOf(one)).map(({ name }) => name);

/** `hops: needs perl`, for each that cannot. */
export const missing: readonly string[] = all.flatMap((one) => {
  const hindrance = hindranceOf(one);
  return hindrance === undefined ? [] : [`${one.name}: ${hindrance}`];
});

export interface Arena {
  readonly ws: Workspace;
  readonly names: readonly string[];
  /** Runs a command of proclet as whoever fights. */
  proclet(...args: readonly string[]): App;
  /** Starts proclet at the head of a process group, and waits until every adversary is what its name says. */
  fight(args: readonly string[], env?: Record<string, string>, onTerminal?: boolean): Promise<App>;
  /** The adversaries of which something is left of a life, or of any. */
  left(life?: number): string[];
  /** Whether a life has begun. */
  hasBegun(name: string, life: number): boolean;
  /** How often each adversary has said that it is ready. */
  ready(app: App, times: number): Promise<void>;
  /** Tells those that multiply to end, and lets the tethers go. */
  close(): void;
}

const lives = 6;
/** One port for all: only what leaves and comes back listens, and it is first in the list. */
let port: number | undefined;
const open = new Set<Arena>();
afterEach(() => {
  for (const arena of open) arena.close();
});

/** A user that may do nothing in particular: `nobody`, on every Linux. */
const ordinary = 65_534;

/** A workspace whose Procfile has these adversaries for services; `ordinarily` its proclet is not run as root. */
export function arena(names: readonly string[] = adversaries, ordinarily = false): Arena {
  const fighters = all.filter(({ name }) => names.includes(name));
  const Procfile = fighters
    .map(({ name, command: [program, script] }) => {
      return `${name}: exec sh adversaries/nth-life.sh tethers/${name} ${program} adversaries/${script}`;
    })
    .join('\n');
  const ws = workspace({ Procfile });
  const tethers = tie(ws, names);
  const isLeft = (name: string, life: number) =>
    tethers.some((one) => one.name === name && one.life === life && one.isHeld());
  const identity = ['setpriv', `--reuid=${ordinary}`, `--regid=${ordinary}`, '--clear-groups'];
  const proclet = [...(ordinarily ? identity : []), process.execPath, bin];
  if (ordinarily) execFileSync('chown', ['-Rh', `${ordinary}:${ordinary}`, ws.directory], { env: environment() });
  const numbers = Array.from({ length: lives }, (_, index) => index + 1);

  const self: Arena = {
    ws,
    names,
    proclet(...args) {
      const [program = '', ...rest] = [...proclet, ...args];
      return ws.start(program, rest);
    },
    async fight(args, env = {}, onTerminal = false) {
      port ??= ws.port;
      const command = [...proclet, 'start', '-p', String(port), ...args];
      // With a terminal of its own, which is closed when `script` ends.
      const terminal = ['script', '-qfec', `exec ${command.join(' ')}`, '/dev/null'];
      const [program = '', ...rest] = onTerminal ? terminal : command;
      const app = ws.start(program, rest, { detached: true, env: { ...env, COLUMNS: '400' } });
      await self.ready(app, 1);
      // What leaves by itself may have been swept up already.
      const fighting = names.filter((name) => name !== 'leaves');
      expect(self.left(1).filter((name) => name !== 'leaves')).toEqual(fighting);
      return app;
    },
    left: (life) => names.filter((name) => (life === undefined ? numbers : [life]).some((one) => isLeft(name, one))),
    hasBegun: (name, life) => existsSync(join(ws.directory, 'tethers', `${name}.${life}.taken`)),
    ready: (app, times) =>
      eventually(() => {
        // What leaves again and again with the same words is shown once.
        const due = (name: string) => (name === 'leaves' ? 1 : times);
        const said = (name: string) => linesOf(app, `${name}.1`).filter((line) => line === 'ready').length;
        const late = names.filter((name) => said(name) < due(name));
        expect(late, app.text).toEqual([]);
      }, 20_000),
    close() {
      if (!open.delete(self)) return;
      writeFileSync(join(ws.directory, 'stop'), '');
      for (const { close } of tethers) close();
    },
  };
  open.add(self);
  return self;
}

function tie(ws: Workspace, names: readonly string[]) {
  const directory = join(ws.directory, 'tethers');
  mkdirSync(directory);
  const places = names.flatMap((name) =>
    Array.from({ length: lives }, (_, index) => ({
      name,
      life: index + 1,
      path: join(directory, `${name}.${index + 1}`),
    })),
  );
  execFileSync(
    'mkfifo',
    places.map(({ path }) => path),
    { env: environment() },
  );
  return places.map(({ name, life, path }) => ({ name, life, ...tether(path) }));
}

/** The reading end of a FIFO. Reading answers the end of the file when nobody has it open for writing, else EAGAIN. */
export function tether(path: string): { isHeld(): boolean; close(): void } {
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const byte = Buffer.alloc(1);
  return {
    isHeld() {
      try {
        return readSync(reader, byte, 0, 1, null) > 0;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return true;
        throw error;
      }
    },
    close: () => closeSync(reader),
  };
}
