/**
 * Events as JSON, one object a line, for programs. Keys come in a fixed order: when, what, who, then the
 * event's own fields. Durations are whole milliseconds; one that never ends is null. Of output there is one
 * object for each line; an unfinished one is not written, because the whole line follows.
 */
import type { Exit, Next, Output, ProcletEvent, StopCause, Survivor } from '../model.js';
import type { Observer, Sink } from '../ports.js';
import { fromBytes, toBytes } from './bytes.js';

/** Writes every event to the sink. */
export function createJsonLines(sink: Sink): Observer {
  return (event) => {
    if (event.type !== 'output')
      sink.write(toBytes(`${JSON.stringify({ time: timeOf(event.at), ...fieldsOf(event) }, wholeNumbers)}\n`));
    else if (event.end !== 'open') sink.write(toBytes(outputLines(event)));
  };
}

/** Of all numbers only durations have a fraction, and nobody measures in it. */
function wholeNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value) : value;
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

/** A piece of a line too long to arrive whole says `"cut":true`; the next object of that stream goes on with it. */
function outputLines({ at, type, id, stream, text, end }: Output & { at: number; type: 'output' }): string {
  const start = `${JSON.stringify({ time: timeOf(at), type, id, stream }).slice(0, -1)},"text":`;
  if (end === 'cut') return `${start}${JSON.stringify(fromBytes(text))},"cut":true}\n`;
  return `${start}${quotedLines(fromBytes(text.slice(0, -1)), `}\n${start}`)}}\n`;
}

/** Each line as a JSON string, with `between` between them. Quoting them all at once is much the faster way. */
function quotedLines(text: string, between: string): string {
  // Only a newline becomes backslash and n, unless the text has backslashes of its own.
  if (!text.includes('\\') && !text.includes('\r')) return JSON.stringify(text).replaceAll('\\n', `"${between}"`);
  const quoted = text.split('\n').map((line) => JSON.stringify(line.endsWith('\r') ? line.slice(0, -1) : line));
  return quoted.join(between);
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
    case 'stopping':
      return { type, id: event.id, cause: causeOf(event.cause), signal: event.signal, grace: event.grace };
    case 'orphaned':
      return { type, id: event.id, exit: exitOf(event.exit), processes: event.processes };
    case 'unready':
      return { type, id: event.id, after: event.after, waiting: event.waiting };
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
      return { type, added: event.added, removed: event.removed, changed: event.changed };
    case 'woken':
      return { type, tag: event.tag };
    case 'killed':
      return { type, id: event.id, signal: event.signal, after: event.after };
    case 'exited':
      return { type, ...endOf(event) };
    case 'expiring':
      return { type, tag: event.tag, reason: event.reason, in: event.in };
    case 'notice':
      return { type, text: event.text };
    case 'stopped':
      return { type, status: event.status };
    default:
      return event satisfies never;
  }
}

function endOf(event: Extract<ProcletEvent, { type: 'exited' }>): object {
  const { id, generation, role, exit, ran, cause, took, signal, processes, survivors, next } = event;
  return {
    id,
    generation,
    role,
    exit: exitOf(exit),
    ran,
    ...(cause && { cause: causeOf(cause) }),
    ...(took !== undefined && { took }),
    signal,
    processes,
    survivors: survivors.map(({ pid, state, command }: Survivor) => ({ pid, state, command })),
    next: nextOf(next),
  };
}

function exitOf(exit: Exit): object {
  switch (exit.how) {
    case 'code':
      return { how: exit.how, code: exit.code };
    case 'signal':
      return { how: exit.how, signal: exit.signal };
    case 'spawn-error':
      return { how: exit.how, message: exit.message };
    default:
      return exit satisfies never;
  }
}

function causeOf(cause: StopCause): object {
  const { reason } = cause;
  if (reason === 'idle')
    return { reason, window: cause.window, ...(cause.since !== undefined && { since: cause.since }) };
  return reason === 'ttl' ? { reason, window: cause.window } : { reason };
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
