/** How runs stand, as a table for people: as wide as the screen, the less important columns left out where it is narrow. */
import { formatDuration } from '../duration.js';
import { columnsOf } from '../escapes.js';
import { describeExit } from '../exit-status.js';
import type {
  Address,
  InstanceSnapshot,
  LastExit,
  LeaseSnapshot,
  Millis,
  ServiceSnapshot,
  StopCause,
  Usage,
} from '../model.js';
import { createPalette, type Paint } from './palette.js';

export interface TableService extends Omit<ServiceSnapshot, 'instances'> {
  readonly instances: readonly (InstanceSnapshot & { readonly usage?: Usage })[];
}

export interface TableOptions {
  /** Of the screen; Infinity for a pipe. */
  readonly columns: number;
  readonly color: boolean;
  /** Processor time in percent of one processor; for the whole life of the processes unless given. */
  readonly cpuOf?: (instance: InstanceSnapshot & { readonly usage?: Usage }) => number | undefined;
}

interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** The higher, the sooner it is left out. */
  readonly rank: number;
}

const columns = [
  { title: 'INSTANCE', rank: 0 },
  { title: 'PHASE', rank: 0 },
  { title: 'PID', right: true, rank: 2 },
  { title: 'PROCS', right: true, rank: 6 },
  { title: 'PORT', right: true, rank: 1 },
  { title: 'UP', right: true, rank: 4 },
  { title: 'CPU', right: true, rank: 8 },
  { title: 'MEMORY', right: true, rank: 5 },
  { title: 'LEFT', rank: 1 },
  { title: 'USED', right: true, rank: 7 },
  { title: 'RESTARTS', right: true, rank: 9 },
  { title: 'LAST EXIT', rank: 10 },
] as const satisfies readonly Column[];

interface Row {
  readonly cells: readonly string[];
  readonly paints: Readonly<Record<number, Paint>>;
}

/** Rows without a newline at the end. */
export function statusTable(services: readonly TableService[], options: TableOptions): string {
  const palette = createPalette(options.color);
  const rows = services.flatMap((service) => {
    const shown = service.instances.filter(({ phase, role }) => role === 'serving' || phase !== 'down');
    return shown.map((instance): Row => {
      const { phase } = instance;
      const mark = phase === 'failed' ? 'failure' : phase === 'up' || phase === 'down' ? 'plain' : 'warning';
      const paints = { 0: palette.service(service.position), 1: palette.marks[mark] };
      return { cells: cellsOf(service, instance, options), paints };
    });
  });
  if (rows.length === 0) return 'Nothing runs here.';
  return layOut(rows, palette.own, options.columns);
}

function cellsOf(
  service: TableService,
  instance: TableService['instances'][number],
  { cpuOf = cpuOfLife }: TableOptions,
): string[] {
  const { id, role, phase, cause, pid, usage, age, generation, last, retryIn } = instance;
  const isAlive = pid !== undefined;
  const next = service.nextIn === undefined ? undefined : ` (next in ${short(service.nextIn)})`;
  const why =
    phase === 'backoff'
      ? ` ${short(retryIn)}`
      : phase === 'down'
        ? (next ?? reasonOf(cause, last !== undefined, service))
        : phase === 'up'
          ? listensOf(instance)
          : '';
  const cpu = isAlive ? cpuOf(instance) : undefined;
  return [
    role === 'serving' ? id : `${id} (${role})`,
    `${phase}${why}`,
    isAlive ? String(pid) : '-',
    usage ? String(usage.pids.length) : '-',
    portsOf(service.listen, usage?.ports ?? []),
    isAlive ? short(age) : '-',
    cpu === undefined ? '-' : `${cpu.toFixed(cpu < 10 ? 1 : 0)}%`,
    usage && isAlive ? bytes(usage.memory) : '-',
    leftOf(service.lease),
    service.usedAgo === undefined ? '-' : short(service.usedAgo),
    String(Math.max(0, generation - 1)),
    last === undefined ? '-' : `${lastOf(last)} ${short(last.ago)} ago`,
  ];
}

/** What was looked at last says more than what was known when it was asked. */
function listensOf({ listens, usage }: TableService['instances'][number]): string {
  if ((usage?.ports.length ?? 0) > 0) return '';
  return listens === 'pending' ? ' (not listening yet)' : listens === 'nowhere' ? ' (nothing listens)' : '';
}

/** Why it ended, where proclet ended it; else how. */
function lastOf({ exit, cause, forced, unready }: LastExit): string {
  const killed = forced === undefined ? '' : ', killed';
  switch (cause?.reason) {
    case undefined:
      if (unready) return `not ready in time${killed}`;
      return describeExit(exit).replace(/^exited with |^was /, '');
    case 'ttl':
    case 'idle':
      return `expired (${cause?.reason})${killed}`;
    case 'expired':
      return `expired${killed}`;
    case 'changed':
      return `changed${killed}`;
    case 'replaced':
      return `replaced${killed}`;
    default:
      return `stopped${killed}`;
  }
}

function reasonOf(cause: StopCause | undefined, hasRun: boolean, { start }: TableService): string {
  if (cause?.reason === 'requested') return ' (stopped)';
  if (cause !== undefined) return ` (${cause.reason})`;
  if (hasRun) return ' (done)';
  return start === 'on-access' ? ' (asleep)' : start === 'manual' ? ' (manual)' : '';
}

/** Public ports, then those that the processes listen on themselves. */
function portsOf(listen: readonly Address[], own: readonly number[]): string {
  const held = listen.map((address) =>
    'path' in address ? (address.path.split('/').at(-1) ?? '') : String(address.port),
  );
  const others = own.filter((port) => !held.includes(String(port)));
  if (held.length === 0) return others.length === 0 ? '-' : others.join(',');
  return others.length === 0 ? held.join(',') : `${held.join(',')}>${others.join(',')}`;
}

function leftOf(lease: LeaseSnapshot | undefined): string {
  if (lease?.kept) return 'kept';
  const parts = [
    ...(lease?.ttl === undefined ? [] : [short(lease.ttl)]),
    ...(lease?.idle === undefined ? [] : [`${short(lease.idle)} idle`]),
  ];
  return parts.length === 0 ? '-' : parts.join(', ');
}

function cpuOfLife({ usage, age }: InstanceSnapshot & { readonly usage?: Usage }): number | undefined {
  return usage && age !== undefined && age > 0 ? (100 * usage.cpu) / age : undefined;
}

function short(duration: Millis | undefined): string {
  return duration === undefined ? '-' : formatDuration(Math.round(duration / 1000) * 1000);
}

export function bytes(count: number): string {
  const units = ['KB', 'MB', 'GB'];
  let value = count / 1024;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)}${units[unit]}`;
}

const gap = '  ';

function layOut(rows: readonly Row[], paintTitle: Paint, screen: number): string {
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map(({ cells }) => columnsOf(cells[at] ?? ''))),
  );
  const shown = new Set(columns.keys());
  const total = () => [...shown].reduce((sum, at) => sum + (widths[at] ?? 0) + gap.length, -gap.length);
  for (const at of [...columns.keys()].sort((a, b) => (columns[b]?.rank ?? 0) - (columns[a]?.rank ?? 0))) {
    if (total() > screen && (columns[at]?.rank ?? 0) > 0) shown.delete(at);
  }
  const line = (cells: readonly string[], paint: (at: number) => Paint) =>
    [...shown]
      .sort((a, b) => a - b)
      .map((at) => {
        const text = cells[at] ?? '';
        const padding = ' '.repeat(Math.max(0, (widths[at] ?? 0) - columnsOf(text)));
        const column: Column | undefined = columns[at];
        return column?.right ? padding + paint(at)(text) : paint(at)(text) + padding;
      })
      .join(gap)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  const plain: Paint = (text) => text;
  return [
    line(titles, () => paintTitle),
    ...rows.map(({ cells, paints }) => line(cells, (at) => paints[at] ?? plain)),
  ].join('\n');
}
