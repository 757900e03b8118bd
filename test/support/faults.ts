/** One run of everything that proclet does, in which one call of the platform fails (see inject-faults.cjs). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.js';
import { type App, bin, type Workspace, workspace } from './workspace.js';

const injector = resolve(import.meta.dirname, 'inject-faults.cjs');

export interface Fault {
  /** Which call, and where in the bundle. */
  readonly site: string;
  readonly code: string;
  /** 0: the first call of the place fails; otherwise all of them, for so long. */
  readonly for: number;
  /** Since the start of proclet. */
  readonly from: number;
}

export function describeFault({ site, code, from, ...fault }: Fault): string {
  return `${site} ${code}${fault.for === 0 ? ' once' : ` for ${fault.for} ms`}${from === 0 ? '' : ` from ${from} ms on`}`;
}

const procfile = `other: while :; do echo beat; sleep 0.1; done
web: exec node serves.mjs
held: exec node serves.mjs
doomed: sleep 0.3
clock: echo tock
`;

const config = (port: number) => `defaults:
  log-dir: logs
  pid-file: proclet.pid
  on-event: 'cat >/dev/null'
services:
  web:
    listen: ${port + 20}
    ready: { tcp: true }
    idle: 1h
    watch: src
    reload: handover
    status-file: web.status
  held:
    listen: ${port + 30}
    reload: handover
    env-dir: envs
  doomed:
    restart: always
  clock:
    every: '* * * * * *'
`;

/** The errors that the system may give: the first is the likely one. */
const codes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^spawn /, ['EAGAIN', 'EMFILE', 'ENOMEM', 'E2BIG']],
  [/^(spawnSync|execFileSync) /, ['EAGAIN', 'EMFILE', 'ENOMEM']],
  [/open|read(dir|File)|watch|listen|bind/i, ['EMFILE', 'EIO', 'EACCES', 'ENOMEM']],
  [/write|mk|link|rename|fsync/, ['ENOSPC', 'EIO', 'EACCES']],
  [/./, ['EACCES', 'EIO', 'ENOENT']],
];

/** What may happen at a place: once, at the start, or for a while in the middle. */
export function faultsAt(site: string): readonly Fault[] {
  const list = codes.find(([pattern]) => pattern.test(site))?.[1] ?? [];
  return list.flatMap((code, n) => [
    { site, code, for: 0, from: n % 2 === 0 ? 0 : 700 },
    { site, code, for: 1_200, from: n % 2 === 0 ? 700 : 0 },
  ]);
}

/** A directory for one run after the other. */
export function stageForFaults(): Workspace {
  const ws = workspace({ Procfile: procfile, 'src/a': '', 'envs/A': 'b\n' });
  ws.write('proclet.yml', config(ws.port));
  return ws;
}

/** Every place of the bundle that calls the platform in such a run. */
export async function sitesOf(ws: Workspace): Promise<readonly string[]> {
  const record = join(ws.directory, 'sites');
  const { app, problems, refused } = await play(ws, { record });
  if (refused || problems.length > 0) throw new Error(`${problems.join('\n')}\n${app.text}`);
  return readFileSync(record, 'utf8').trim().split('\n').sort();
}

/** What went wrong although only one call did; empty when nothing did. */
export async function troubleWith(ws: Workspace, fault: Fault): Promise<readonly string[]> {
  const hit = join(ws.directory, 'hit');
  rmSync(hit, { force: true });
  const { app, refused, problems } = await play(ws, { ...fault, hit });
  const text = app.text;
  const saysWhatStays = text.includes('stays behind');
  const left = saysWhatStays ? [] : [...ws.survivors().map(({ command }) => `survivor: ${command}`), ...droppings(ws)];
  const words = ['this is a bug', 'node:internal', 'Unhandled', 'MaxListeners'].filter((word) => text.includes(word));
  const sentence = refused && !/^proclet: ./m.test(app.stderr) ? ['refused without a sentence'] : [];
  return [...problems, ...left, ...words, ...sentence].map((one) => `${one}\n${text}`);
}

/** What a run makes and has to take away. */
function droppings(ws: Workspace): string[] {
  const places = [join(ws.directory, '.tmp'), join(ws.directory, '.run', 'proclet')];
  const found = places.flatMap((place) =>
    existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : [],
  );
  return [...found, join(ws.directory, 'proclet.pid')]
    .filter((path) => existsSync(path))
    .map((path) => `left: ${path}`);
}

interface Played {
  readonly app: App;
  /** It ended before anything had started. */
  readonly refused: boolean;
  readonly problems: readonly string[];
}

async function play(ws: Workspace, faults: object): Promise<Played> {
  const temporary = join(ws.directory, '.tmp');
  for (const place of [temporary, join(ws.directory, '.run')]) rmSync(place, { recursive: true, force: true });
  rmSync(join(ws.directory, 'proclet.pid'), { force: true });
  mkdirSync(temporary);
  const words = ['--require', injector, bin, 'start', '--port', String(ws.port), '--until-exit', String(process.pid)];
  const app = ws.start(process.execPath, words, { env: { FAULTS: JSON.stringify(faults), TMPDIR: temporary } });
  let status: number | string | undefined;
  const ended = app.exited.then((exit) => {
    status = exit.how === 'code' ? exit.code : 'signal' in exit ? exit.signal : exit.message;
  });
  const beats = () => app.text.split('| beat').length;
  const goesOn = async (more: number) => {
    const before = beats();
    await eventually(() => {
      if (status === undefined && beats() < before + more) throw new Error('the other service does not go on');
    }, 40_000);
  };
  const problems: string[] = [];
  try {
    await goesOn(2);
    if (status !== undefined) {
      const isRefused = status === 1 || status === 2;
      return { app, refused: isRefused, problems: isRefused ? [] : [`ended with ${status} at the start`] };
    }
    await use(ws, app);
    await goesOn(4);
    if (status !== undefined) problems.push(`ended with ${status} meanwhile`);
  } catch (error) {
    problems.push((error as Error).message);
  }
  app.signal('SIGTERM');
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 40_000).unref())]);
  if (status !== 143 && problems.length === 0) problems.push(`ended with ${status} after TERM`);
  if (status === undefined) app.signal('SIGKILL');
  await ended;
  return { app, refused: false, problems };
}

/** A client, a change, another configuration, a question. */
async function use(ws: Workspace, app: App): Promise<void> {
  await Promise.all([ask({ host: '127.0.0.1', port: ws.port + 20 }, 'GET / HTTP/1.0\r\n\r\n')]);
  ws.write('src/a', String(Math.random()));
  ws.write('.env', `CHANGED=${Math.random()}\n`);
  app.signal('SIGHUP');
  app.signal('SIGUSR1');
  const runs = join(ws.directory, '.run', 'proclet');
  const socket = existsSync(runs) ? readdirSync(runs).find((name) => name.endsWith('.sock')) : undefined;
  if (socket) await ask({ path: join(runs, socket) }, '{"id":1,"verb":"ps","usage":true}\n');
}

/** What is answered, or not, is not the matter. */
function ask(address: net.NetConnectOpts, text: string): Promise<void> {
  return new Promise((resolve) => {
    const client = net.connect(address, () => client.end(text));
    client.setTimeout(1_000, () => client.destroy());
    client.on('error', () => {}).on('data', () => client.destroy());
    client.once('close', () => resolve());
  });
}
