/** A launcher from its first to its last moment: the fleet, the projects and the page put together. */
import { fileURLToPath } from 'node:url';
import { ProcletError } from '../errors.js';
import { statusOfSignal } from '../exit-status.js';
import { createFleet, type Fleet } from '../fleet/fleet.js';
import { createLaunches } from '../fleet/launches.js';
import { plainText } from '../fleet/lines.js';
import { isStopped } from '../fleet/silence.js';
import { isAskedAgain } from '../gesture.js';
import { createPages } from '../launcher/pages.js';
import { openLauncher } from '../launcher/server.js';
import type { Millis } from '../model.js';
import { createPeerUsers } from '../network/peer-user.js';
import { describeOwners, isPortTaken, ownersOf } from '../network/port-owner.js';
import { createClock } from '../platform/clock.js';
import { exitWith } from '../platform/exit.js';
import { watchTerminal, whenGone } from '../platform/hangup.js';
import { homeDirectory } from '../platform/home.js';
import { keepLauncher } from '../platform/launcher-record.js';
import { liveRuns } from '../platform/runs.js';
import { onSignals } from '../platform/signals.js';
import { createOutput, type Output, statusOfClosed } from '../platform/stdout.js';
import { writerFor } from '../platform/terminal-writer.js';
import { onUncaught } from '../platform/uncaught.js';
import { untilGone } from '../platform/until-gone.js';
import type { Clock } from '../ports.js';
import { suggest } from '../procfile/suggest.js';
import { createLauncherProjects } from './launcher-projects.js';
import { linkSecret } from './link-secret.js';
import { pastOf } from './past.js';
import { createStarter, type Lease, type Starter } from './run-projects.js';

export interface LauncherOptions {
  readonly port: number;
  /** Addresses to listen on. */
  readonly hosts: readonly string[];
  readonly allowedHosts: readonly string[];
  /** For services that have none of their own. */
  readonly lease: Lease;
  /** It answers to every user of this machine. */
  readonly anyUser: boolean;
  /** What it started outlives it. */
  readonly keep: boolean;
}

const mostStreams = 1_000;
const extension = 30 * 60_000;
/** What has not ended by then does so by itself, being bound to the launcher; less than `--stop` waits. */
const longestEnd: Millis = 50_000;
/** How long its last words may take. */
const farewell: Millis = 1_000;

/** Resolves with the exit status when it was told to end. `started` is called once it answers. */
export async function serveLauncher(
  options: LauncherOptions,
  started: (url: string, say: (text: string) => void) => Promise<void>,
): Promise<number> {
  const { port, hosts, allowedHosts, lease, keep, anyUser } = options;
  if (isPortTaken(port) === true) {
    throw new ProcletError('OS', `port ${port} is held by ${describeOwners(ownersOf(port))}`, {
      hint: 'Take another one with --port.',
    });
  }
  // Nobody's directory is held by it, and what it says of files names them whole.
  process.chdir('/');
  const url = `http://localhost:${port}/`;
  const clock = createClock();
  const output = createOutput(process.stdout, writerFor(process.stdout));
  const say = (text: string) => output.sink.write(Buffer.from(`${text}\n`).toString('latin1'));
  const told = (text: string) => say(`${timeOf(clock.wall())} ${shownLine(text)}`);
  const release = keepLauncher(url, clock, told);
  const fleet = createFleet(clock, ({ pid, root }, text) => {
    if (starter.pids.has(pid)) told(`${projects.all.find((one) => one.root === root)?.name ?? root}: ${text}`);
  });
  const starter = createStarter({ clock, lease, spare: true, ...(!keep && { boundTo: process.pid }) });
  const launches = createLaunches(fleet, clock, { startRun: starter.startRun, past: pastOf, told });
  const projects = createLauncherProjects();
  const ended = endOf(output, clock);
  const peerOf = createPeerUsers();
  try {
    await Promise.all([projects.refresh(), fleet.look()]);
    const server = await openLauncher(
      {
        ...{ clock, fleet, launches, projects, port, allowedHosts, mostStreams, extension, home: homeDirectory() },
        pages: createPages(fileURLToPath(new URL('../templates/launcher', import.meta.url))),
        isOwn: (pid) => starter.pids.has(pid),
        linkSecret: await linkSecret(clock),
        ...(!anyUser && { gate: { uid: process.getuid?.() ?? 0, peerOf } }),
        onUncaught,
        near: suggest,
        told,
      },
      hosts,
    );
    await started(url, say);
    if (!anyUser && (await peerOf({ remoteAddress: '127.0.0.1' })).is === 'untold') say(everybody);
    const status = await ended;
    launches.close();
    const endAll = async () => {
      if (!keep) await endRuns(fleet, starter, say);
    };
    // Services end at once, whoever is connected; what is just being started, as soon as it can be told to.
    const services = Promise.all([endAll(), starter.close()]).then(endAll);
    await Promise.race([Promise.all([server.close(), services]), later(clock, longestEnd)]);
    return status;
  } finally {
    await Promise.race([starter.close(), later(clock, farewell)]);
    fleet.close();
    await output.close(clock, clock.now() + farewell);
    clock.close();
    release();
  }
}

const everybody =
  'This system does not tell whose a connection is: every user of this machine can use the launcher as you can.';

function later(clock: Clock, wait: Millis): Promise<void> {
  return new Promise((go) => void clock.wakeAt(clock.now() + wait, go));
}

/** Whole, and said one by one. */
async function endRuns(fleet: Fleet, { pids }: Starter, say: (text: string) => void): Promise<void> {
  await fleet.look();
  const own = liveRuns().filter(({ pid }) => pids.has(pid));
  await Promise.all(
    own.map(async (live) => {
      // What the launcher started ends with it, also if somebody has stopped it.
      if (isStopped(live.pid)) process.kill(live.pid, 'SIGCONT');
      await fleet.ask(live.run, { verb: 'stop', from: 'launcher' }).catch(() => {}); // it has gone already
      await untilGone(live);
      say(`${live.root} stopped`);
    }),
  );
}

/**
 * The exit status, once a signal asks for the end or nobody reads the output any more. Somebody who asks again ends the
 * process at once, and what it started ends with it.
 */
function endOf(output: Output, clock: Clock): Promise<number> {
  const terminal = watchTerminal();
  let askedAt: Millis | undefined;
  return new Promise((resolve) => {
    output.onClosed((closed) => resolve(statusOfClosed(closed)));
    whenGone(terminal, clock, () => resolve(statusOfSignal('SIGHUP')));
    onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
      const status = statusOfSignal(signal);
      const isHangup = signal === 'SIGHUP' && terminal.isGone();
      if (!isHangup && isAskedAgain(askedAt, clock.now())) exitWith(status);
      if (!isHangup) askedAt ??= clock.now();
      resolve(status);
    });
  });
}

/** What others say must not act on the terminal, nor look like another line. */
function shownLine(text: string): string {
  return plainText(text).replaceAll('\n', ' ');
}

function timeOf(wall: number): string {
  return new Date(wall).toLocaleTimeString('sv');
}
