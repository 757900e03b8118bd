/**
 * Where a service listens that somebody waits for: at the port that it was told, found by connecting, or at another one,
 * found among its sockets. Who answers must be the service, not somebody who had its port before.
 */
import type { Millis, ServiceSnapshot, Tag } from '../model.js';
import { describeOwners, isListening, isPortTaken, ownersOf } from '../network/port-owner.js';
import { probeReady } from '../network/ready.js';
import { createProcessTable } from '../platform/process-table.js';
import type { Clock } from '../ports.js';
import type { Fleet, SeenRun, SeenService } from './fleet.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Search {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly run: string;
  readonly tag: Tag;
  /** It is asked for connections only once its run says that it is ready. */
  readonly showsWhenReady: boolean;
  readonly found: (at: Address) => void;
  /** Somebody else has its port; with the sentence about it. */
  readonly foreign: (why: string) => void;
}

/** So often is it looked where else a service listens. */
const doubtEvery: Millis = 700;

/** Answers what ends it. At most one of `found` and `foreign` is called, once, unless it is ended before. */
export function searchAddress(search: Search): () => void {
  const { fleet, clock, run, tag, showsWhenReady } = search;
  const ends: (() => void)[] = [];
  let isOver = false;
  const end = () => {
    isOver = true;
    for (const each of ends.splice(0)) each();
  };
  const settle = (tell: () => void) => {
    if (isOver) return;
    end();
    tell();
  };
  const current = (): Found | undefined =>
    fleet.runs
      .filter((one) => one.run === run)
      .flatMap((one) => one.services.flatMap((service) => (service.tag === tag ? [{ run: one, service }] : [])))[0];

  // Whoever comes to a free port is the service: nobody else need be ruled out then.
  const usual = ((found) => found && addressOf(found.service)?.port)(current());
  const wasFree = usual !== undefined && isPortTaken(usual) === false;
  let isProbing = false;
  const probe = () => {
    const at = current() && addressOf((current() as Found).service);
    if (at === undefined || isProbing || isOver) return;
    isProbing = true;
    const onReady = (host = '127.0.0.1') => void confirm({ host, port: at.port });
    ends.push(probeReady({ clock, ready: { kind: 'tcp' }, port: at.port, onReady }).cancel);
  };
  const confirm = async (at: Address) => {
    const before = current();
    const isOurs = wasFree || before === undefined || isListening(ownPids(before), at.port);
    if (isOurs) return settle(() => search.found(at));
    await fleet.look(true);
    const stranger = strangerAt(at.port, current() ?? before);
    settle(() => (stranger === undefined ? search.found(at) : search.foreign(stranger)));
  };
  const lookIfReady = () => {
    if (current()?.service.instances.some(({ phase, role }) => phase === 'up' && role === 'serving')) probe();
  };
  const doubt = async (before?: number) => {
    await fleet.look(true);
    if (isOver) return;
    const service = current()?.service;
    const port = service?.start === 'on-access' ? undefined : otherPortOf(service);
    // Where it still is the only port when this is asked again.
    if (port !== undefined && port === before) settle(() => search.found({ host: '127.0.0.1', port }));
    else ends.push(clock.wakeAt(clock.now() + doubtEvery, () => void doubt(port)));
  };

  if (showsWhenReady) {
    ends.push(fleet.onChange(lookIfReady));
    lookIfReady();
  } else probe();
  ends.push(clock.wakeAt(clock.now() + doubtEvery, () => void doubt()));
  return end;
}

interface Found {
  readonly run: SeenRun;
  readonly service: SeenService;
}

/** Proclet itself, which listens for a service behind its front, and what was started as the service. */
function ownPids({ run, service }: Found): number[] {
  return [run.pid, ...service.instances.flatMap(({ pid }) => pid ?? [])];
}

/** Who has a port that is older than the service and none of its processes, in a sentence. What cannot be seen is nobody. */
function strangerAt(port: number, { run, service }: Found): string | undefined {
  const own = new Set([run.pid, ...service.instances.flatMap(({ usage }) => usage?.pids ?? [])]);
  const owners = ownersOf(port);
  const table = createProcessTable();
  const startOf = (pid: number) => Number(table.find(pid)?.started);
  const began = Math.min(...service.instances.flatMap(({ pid }) => (pid === undefined ? [] : [startOf(pid)])));
  const isOlder = owners.length > 0 && owners.every(({ pid }) => !own.has(pid) && startOf(pid) < began);
  return isOlder ? `port ${port}, which is ${service.tag}'s, is held by ${describeOwners(owners)}` : undefined;
}

/** The port that a person goes to: one that proclet holds for the service, else the first instance's own. */
export function addressOf({ listen, instances }: Pick<ServiceSnapshot, 'listen' | 'instances'>) {
  const front = listen.find((address) => 'port' in address);
  const port = front !== undefined && 'port' in front ? front.port : instances.find((one) => one.port > 0)?.port;
  const host = front !== undefined && 'port' in front ? front.host : '127.0.0.1';
  const isAny = host === '0.0.0.0' || host === '::' || host === undefined;
  return port === undefined ? undefined : { host: isAny ? '127.0.0.1' : host, port };
}

/** The one port of a program that was told another, and does not listen there. */
function otherPortOf(service: SeenService | undefined): number | undefined {
  const ports = new Set(service?.instances.flatMap(({ usage }) => usage?.ports ?? []));
  const told = service?.instances.map((one) => one.port) ?? [];
  const [port, ...more] = ports;
  return more.length > 0 || told.some((one) => ports.has(one)) ? undefined : port;
}
