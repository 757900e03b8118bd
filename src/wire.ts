/**
 * Values as JSON lines, the one form that the log, the socket and other programs share: one object a line, with keys in
 * a fixed order; durations in whole milliseconds, one that never ends as null; UTF-8.
 */
import type { Bytes, Exit, Next, Output, ProcletEvent, StopCause, Survivor } from './model.js';

/** A JSON value as a line. Of all numbers only durations have a fraction, and nobody measures in it. */
export function toLine(value: unknown): string {
  return `${JSON.stringify(value, wholeNumbers)}\n`;
}

/** An event for other programs: when, what, who, then its own fields. */
export function eventToWire(event: ProcletEvent): object {
  const time = new Date(event.at).toISOString();
  return { time, ...(event.type === 'output' ? outputFields(event) : fieldsOf(event)) };
}

/** What `eventToWire` made, as an event again. Undefined for what a newer proclet may say. */
export function eventFromWire(wire: Readonly<Record<string, unknown>>): ProcletEvent | undefined {
  const { time, ...fields } = wire;
  const at = Date.parse(String(time));
  if (Number.isNaN(at)) return undefined;
  if (fields['type'] === 'output') return { at, type: 'output', ...outputFrom(fields) };
  if (!eventTypes.has(String(fields['type']))) return undefined;
  const endless = fields['grace'] === null ? { grace: Infinity } : {};
  return { at, ...fields, ...endless } as unknown as ProcletEvent;
}

const eventTypes = new Set<string>([
  ...['spawned', 'up', 'stopping', 'orphaned', 'killed', 'exited', 'unready', 'waiting', 'stranded', 'changed'],
  ...['handed-over', 'kept', 'reconfigured', 'woken', 'expiring', 'notice', 'ending', 'stopped'],
  ...['scheduled', 'skipped', 'listening'],
]);

/** Whole lines without the last newline; `open` and `cut` say that a line goes on. */
function outputFields({ type, id, stream, text, shown, continued, end }: Output & { type: 'output' }): object {
  const whole = end === 'line' ? text.slice(0, -1) : text;
  return {
    ...{ type, id, stream, text: Buffer.from(whole, 'latin1').toString('utf8') },
    ...(end === 'line' ? {} : { [end]: true }),
    ...(shown > 0 && { shown }),
    ...(continued && { continued }),
  };
}

function outputFrom(fields: Readonly<Record<string, unknown>>): Output {
  const end = fields['open'] === true ? 'open' : fields['cut'] === true ? 'cut' : 'line';
  const text: Bytes = Buffer.from(String(fields['text']), 'utf8').toString('latin1');
  return {
    ...{ id: String(fields['id']), stream: fields['stream'] === 'stderr' ? 'stderr' : 'stdout', end },
    ...{ text: end === 'line' ? `${text}\n` : text },
    ...{ shown: Number(fields['shown'] ?? 0), continued: fields['continued'] === true },
  };
}

/** Cuts a stream of bytes into lines. One that is longer than `limit` characters is reported once, and nothing after it is read. */
export function createLineReader(limit: number, told: { line(text: string): void; tooLong(): void }) {
  let pieces: string[] = [];
  let length = 0;
  let isOver = false;
  const decoder = new TextDecoder();
  return (chunk: Uint8Array): void => {
    let text = decoder.decode(chunk, { stream: true });
    while (!isOver) {
      const end = text.indexOf('\n');
      const piece = end < 0 ? text : text.slice(0, end);
      length += piece.length;
      if (length > limit) {
        isOver = true;
        pieces = [];
        told.tooLong();
        return;
      }
      pieces.push(piece);
      if (end < 0) return;
      const line = pieces.join('');
      pieces = [];
      length = 0;
      text = text.slice(end + 1);
      told.line(line);
    }
  };
}

function wholeNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value) : value;
}

/** Everything but the time, in the order in which it is written. */
function fieldsOf(event: Exclude<ProcletEvent, { type: 'output' }>): object {
  const { type } = event;
  switch (type) {
    case 'spawned':
      return {
        type,
        id: event.id,
        pid: event.pid,
        port: event.port,
        generation: event.generation,
        coming: event.coming,
      };
    case 'up':
      return { type, id: event.id, generation: event.generation, after: event.after, probed: event.probed };
    case 'listening':
      return { type, ...listeningOf(event) };
    case 'stopping':
      return {
        type,
        id: event.id,
        generation: event.generation,
        cause: causeOf(event.cause),
        signal: event.signal,
        grace: event.grace,
      };
    case 'orphaned':
      return { type, id: event.id, exit: exitOf(event.exit), processes: event.processes };
    case 'unready':
      return { type, ...unreadyOf(event) };
    case 'waiting':
      return { type, tag: event.tag, for: event.for };
    case 'stranded':
      return { type, tag: event.tag, for: event.for };
    case 'changed':
      return { type, tag: event.tag, path: event.path, files: event.files };
    case 'handed-over':
      return { type, id: event.id, generation: event.generation, from: event.from };
    case 'kept':
      return { type, id: event.id, generation: event.generation, failed: event.failed };
    case 'reconfigured':
      return { type, added: event.added, removed: event.removed, changed: event.changed, scaled: event.scaled };
    case 'scheduled':
      return { type, tag: event.tag, every: event.every, in: event.in };
    case 'skipped':
    case 'woken':
      return { type, tag: event.tag };
    case 'killed':
      return { type, id: event.id, signal: event.signal, after: event.after };
    case 'exited':
      return { type, ...endOf(event) };
    case 'expiring':
      return { type, tag: event.tag, reason: event.reason, in: event.in };
    case 'notice':
      return { type, text: event.text, ...(event.code && { code: event.code }) };
    case 'ending':
      return { type, why: event.why, ids: event.ids };
    case 'stopped':
      return { type, status: event.status };
    default:
      return event satisfies never;
  }
}

function listeningOf({ id, generation, listens, ports, after }: Extract<ProcletEvent, { type: 'listening' }>): object {
  return { id, generation, listens, ports, after };
}

function unreadyOf({ id, generation, coming, after, waiting }: Extract<ProcletEvent, { type: 'unready' }>): object {
  return { id, generation, ...(coming && { coming }), after, waiting };
}

function endOf(event: Extract<ProcletEvent, { type: 'exited' }>): object {
  const { id, generation, role, exit, ran, cause, took, signal, processes, survivors, next } = event;
  return {
    id,
    generation,
    role,
    exit: exitOf(exit),
    ...(event.expected && { expected: true }),
    ran,
    ...(event.unready && { unready: true }),
    ...(cause && { cause: causeOf(cause) }),
    ...(took !== undefined && { took }),
    ...(event.forced && { forced: event.forced }),
    signal,
    processes,
    survivors: survivors.map(({ pid, state, command, denied }: Survivor) => ({
      ...{ pid, state, command },
      ...(denied && { denied }),
    })),
    ...(event.nested && {
      nested: event.nested.map(({ processes, pid, root }) => ({
        processes,
        ...(pid !== undefined && { pid }),
        ...(root !== undefined && { root }),
      })),
    }),
    ...(event.port && { port: event.port }),
    next: nextOf(next),
  };
}

function exitOf(exit: Exit): object {
  switch (exit.how) {
    case 'code':
      return { how: exit.how, code: exit.code };
    case 'signal':
    case 'hangup':
      return { how: exit.how, signal: exit.signal };
    case 'spawn-error':
      return { how: exit.how, message: exit.message };
    default:
      return exit satisfies never;
  }
}

function causeOf(cause: StopCause): object {
  const { reason } = cause;
  const why = cause.why && { why: cause.why };
  if (reason === 'idle')
    return { reason, window: cause.window, ...(cause.since !== undefined && { since: cause.since }), ...why };
  return reason === 'ttl' ? { reason, window: cause.window, ...why } : { reason, ...why };
}

function nextOf(next: Next): object {
  switch (next.is) {
    case 'restart':
      return { is: next.is, delay: next.delay, failures: next.failures };
    case 'failed':
      return { is: next.is, failures: next.failures, ...(next.awaitsChange && { awaitsChange: true }) };
    case 'done':
    case 'down':
      return { is: next.is };
    default:
      return next satisfies never;
  }
}
