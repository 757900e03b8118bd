/** What the requests on the socket mean, in terms of the run. The only part of control/ that knows both. */
import { ProcletError } from '../errors.js';
import { describeExit } from '../exit-status.js';
import type {
  Happening,
  InstanceId,
  InstanceSnapshot,
  Plan,
  ProcletEvent,
  Request,
  Tag,
  Usage,
  Why,
} from '../model.js';
import type { Clock, Supervision } from '../ports.js';
import { eventToWire } from '../wire.js';
import { type Message, readMessage } from './messages.js';
import type { Ended, RunInfo, Status, WouldEnd } from './protocol.js';
import { reload } from './reloading.js';
import { type Call, type Desk, ProtocolError } from './server.js';
import { silentOf, standingOf } from './standing.js';

/** The run, as far as requests are about it. */
export interface Subject {
  readonly info: RunInfo;
  readonly clock: Clock;
  readonly supervision: Supervision;
  plan(): Plan;
  /** What is remembered, oldest first. */
  events(): readonly ProcletEvent[];
  /** Before this moment something may have been forgotten. */
  completeSince(): number;
  /** Directories and files that hold more of the output than is remembered. */
  logFiles(): readonly string[];
  /** What nobody else may be shown of its texts. Another array once there is more. */
  secrets(): readonly string[];
  /** Other numbers of instances. */
  scale(counts: Readonly<Record<Tag, number>>): Promise<void>;
  inspect(instances: readonly InstanceSnapshot[]): ReadonlyMap<string, Usage>;
  commandOf(pid: number): string;
  /** Whether a process ignores a signal. */
  ignores(pid: number, signal: NodeJS.Signals): boolean;
  /** Tells the terminal that an instance runs in how large it is. */
  resize(pid: number, size: { columns: number; rows: number }): void;
}

type Exited = Extract<Happening, { type: 'exited' }>;
type Of<V extends Message['verb']> = Extract<Message, { verb: V }>;

export function createDesk(subject: Subject): Desk {
  return (line, call) => {
    const read = readMessage(line);
    if ('problem' in read) return { id: read.id, answer: Promise.reject(new ProtocolError(read.problem)) };
    // Not before the caller knows which request it is that the items answer.
    return { id: read.id, answer: Promise.resolve().then(() => answerTo(read.message, call, subject)) };
  };
}

function answerTo(message: Message, call: Call, subject: Subject): unknown {
  const { supervision } = subject;
  switch (message.verb) {
    case 'hello':
      return subject.info;
    case 'ps':
      return statusOf(message, subject);
    case 'stop':
      return message.dryRun ? wouldEnd(message, subject) : stop(message, subject);
    case 'reload':
      return reload({ ...message, why: whyOf(message) }, call, subject);
    case 'scale':
      return subject.scale(message.counts).then(() => statusOf({ verb: 'ps', usage: false }, subject));
    case 'signal':
      return {
        ids: supervision.request({ ...message, type: 'signal', signal: message.signal as NodeJS.Signals }),
      };
    case 'restart':
    case 'expire':
      return change({ type: message.verb, targets: message.targets, why: whyOf(message) }, subject);
    case 'touch':
    case 'keep':
    case 'extend':
    case 'send': {
      const { verb, ...request } = message;
      return change({ type: verb, ...request } as Request, subject);
    }
    case 'events':
      return follow(message, call, subject);
    case 'wait':
      return wait(message, call, subject);
    case 'attach':
      return attach(message, call, subject);
    case 'resize':
      return resize(message, subject);
    default:
      return message satisfies never;
  }
}

function change(request: Request, { supervision }: Subject): { ids: readonly InstanceId[]; services: unknown } {
  const ids = supervision.request(request);
  const { services } = supervision.snapshot();
  return { ids, services: services.filter(({ instances }) => instances.some(({ id }) => ids.includes(id))) };
}

function whyOf({ verb, from, pid }: Of<'stop' | 'restart' | 'reload' | 'expire'>): Why {
  return { is: 'control', verb, from, ...(pid !== undefined && { pid }) };
}

function statusOf({ usage }: Of<'ps'>, { info, supervision, inspect }: Subject): Status {
  const { services } = supervision.snapshot();
  if (!usage) return { ...info, services };
  const used = inspect(services.flatMap(({ instances }) => instances));
  const measured = services.map((service) => ({
    ...service,
    instances: service.instances.map((one) => {
      const found = one.mark === undefined ? undefined : used.get(one.mark);
      return { ...one, ...(found && { usage: found }) };
    }),
  }));
  return { ...info, services: measured };
}

/** Resolves when all that was to be stopped is gone, with how it ended. */
function stop(message: Of<'stop'>, { supervision }: Subject): Promise<{ ended: Ended[] }> {
  const { targets } = message;
  const why = whyOf(message);
  return new Promise((resolve, reject) => {
    const ended: Ended[] = [];
    // Known before it is asked for: what waits for its next life is over while it is asked.
    const ids = targets.length === 0 ? [] : supervision.resolve(targets);
    /** Those whose end has come, and which somebody else has asked for again since. */
    const again = new Set<string>();
    const isOver = () => supervision.busyOf(ids.filter((id) => !again.has(id))) === 0;
    const leave = supervision.subscribe((event) => {
      if (event.type === 'exited' && event.cause !== undefined && event.next.is === 'restart') again.add(event.id);
      if (event.type === 'exited' && (targets.length === 0 || ids.includes(event.id))) ended.push(endedOf(event));
      if (event.type === 'stopped' || (targets.length > 0 && event.type === 'exited' && isOver())) finish();
    });
    const finish = () => {
      leave();
      resolve({ ended });
    };
    try {
      if (targets.length === 0) supervision.request({ type: 'shutdown', status: 0, patient: false, why });
      else supervision.request({ type: 'stop', targets, why });
      if (targets.length > 0 && isOver()) finish();
    } catch (error) {
      leave();
      reject(error);
    }
  });
}

function endedOf({ id, role, exit, processes, took = 0, cause, forced, signal, survivors }: Exited): Ended {
  return {
    id,
    role,
    how: describeExit(exit),
    processes,
    took,
    ...(cause && { cause }),
    ...(forced && { forced }),
    signal,
    survivors: survivors.map(({ pid }) => pid),
  };
}

function wouldEnd(
  { targets }: Of<'stop'>,
  { supervision, plan, inspect, commandOf, ignores }: Subject,
): { wouldEnd: WouldEnd[] } {
  const ids = supervision.resolve(targets);
  const specs = new Map(plan().services.flatMap(({ instances }) => instances.map((spec) => [spec.id, spec] as const)));
  const running = supervision
    .snapshot()
    .services.flatMap(({ instances }) => instances.filter(({ id, pid }) => pid && ids.includes(id)));
  const used = inspect(running);
  const answer = running.map(({ id, role, pid: leader = 0, mark = '' }): WouldEnd => {
    const { stopSignal = 'SIGTERM', reloadSignal = stopSignal, stop = 'tree', grace = 0 } = specs.get(id) ?? {};
    const signal = role === 'going' ? reloadSignal : stopSignal;
    const isFirst = (role === 'going' || stop === 'leader') && !ignores(leader, signal);
    const others = (used.get(mark)?.pids ?? []).filter((pid) => pid !== leader);
    const processes = [leader, ...others].map((pid) => ({ pid, command: commandOf(pid) }));
    return { id, signal, to: isFirst ? 'leader' : 'tree', grace: grace === Infinity ? null : grace, processes };
  });
  return { wouldEnd: answer };
}

/** What is remembered, then what happens. */
function follow(message: Of<'events'>, call: Call, subject: Subject): unknown {
  const { supervision } = subject;
  const ids = message.targets.length === 0 ? undefined : new Set(supervision.resolve(message.targets));
  const tags = new Set([...(ids ?? [])].map((id) => id.slice(0, id.lastIndexOf('.'))));
  const isWanted = (event: ProcletEvent) => {
    if (message.only === (event.type === 'output' ? 'no-output' : 'output')) return false;
    if (event.type === 'output' && event.end === 'open' && !message.open) return false;
    if (ids === undefined) return true;
    if ('id' in event) return ids.has(event.id);
    if ('ids' in event) return event.ids.some((id) => ids.has(id));
    return 'tag' in event ? tags.has(event.tag) : event.type === 'stopped';
  };
  let told: readonly string[] = [];
  const tellSecrets = () => {
    const secrets = subject.secrets();
    if (message.secrets && secrets !== told) call.item({ secrets });
    told = secrets;
  };
  const past = subject.events().filter((event) => event.at >= message.since && isWanted(event));
  tellSecrets();
  for (const event of message.last === 0 ? [] : past.slice(-message.last)) call.item({ event: eventToWire(event) });
  const logFiles = subject.logFiles();
  const complete = subject.completeSince();
  const result = { logFiles, ...(complete > -Infinity && { completeSince: complete }) };
  if (!message.follow) return result;
  return new Promise((resolve) => {
    const leave = supervision.subscribe((event) => {
      // Who hides them knows them before the first line that may have one.
      tellSecrets();
      if (isWanted(event)) call.item({ event: eventToWire(event) });
      if (event.type === 'stopped') resolve(result);
    });
    call.onEnd(leave);
  });
}

/** Resolves when they are all ready; rejects when one will not be, or when the time is over. */
function wait({ targets, timeout }: Of<'wait'>, call: Call, { supervision, clock }: Subject): Promise<unknown> {
  const ids = supervision.resolve(targets);
  return new Promise((resolve, reject) => {
    const look = (isLast: boolean) => {
      const services = supervision
        .snapshot()
        .services.filter(({ instances }) => instances.some(({ id }) => ids.includes(id)));
      const standings = services.map((service) => standingOf(service, ids, targets.length > 0));
      const hopeless = standings.find((one) => one.is === 'hopeless');
      const pending = standings.flatMap((one) => (one.is === 'pending' ? [one.why] : []));
      if (hopeless?.is === 'hopeless') reject(new ProcletError('FAILED', hopeless.why));
      else if (pending.length === 0) resolve({ ids, silent: silentOf(services, ids) });
      else if (isLast) reject(new ProcletError('TIMEOUT', `not ready: ${pending.join('; ')}`));
    };
    call.onEnd(
      supervision.subscribe((event) => {
        if (event.type === 'stopped') reject(new ProcletError('NOT_RUNNING', 'the run ended'));
        else if (event.type !== 'output') look(false);
      }),
    );
    call.onEnd(clock.wakeAt(clock.now() + timeout, () => look(true)));
    look(false);
  });
}

/** The terminal of one instance, byte by byte, until the client leaves or the instance ends. */
function attach({ target, columns, rows }: Of<'attach'>, call: Call, subject: Subject): Promise<unknown> {
  const { supervision } = subject;
  const id = soleInstance(target, subject);
  const spec = subject
    .plan()
    .services.flatMap(({ instances }) => instances)
    .find((one) => one.id === id);
  if (spec?.tty !== true) {
    throw new ProcletError('REFUSED', `${id} has no terminal of its own`, {
      hint: 'Give it one with tty: true in proclet.yml.',
      reason: 'no-terminal',
    });
  }
  return new Promise((resolve, reject) => {
    const leave = supervision.tap(id, (chunk) => call.item({ data: Buffer.from(chunk).toString('base64') }));
    if (leave === undefined) return reject(new ProcletError('REFUSED', `${id} is not running`));
    call.onEnd(leave);
    call.onEnd(
      supervision.subscribe((event) => {
        if (event.type === 'spawned' && event.id === id) subject.resize(event.pid, { columns, rows });
        if (event.type === 'exited' && event.id === id) resolve({ id, ended: describeExit(event.exit) });
      }),
    );
    resizeNow(id, { columns, rows }, subject);
  });
}

function resize({ target, columns, rows }: Of<'resize'>, subject: Subject): unknown {
  const id = soleInstance(target, subject);
  resizeNow(id, { columns, rows }, subject);
  return { id };
}

function resizeNow(id: InstanceId, size: { columns: number; rows: number }, { supervision, resize }: Subject): void {
  const instances = supervision.snapshot().services.flatMap(({ instances }) => instances);
  for (const { pid } of instances.filter((one) => one.id === id)) if (pid) resize(pid, size);
}

function soleInstance(target: string, { supervision }: Subject): InstanceId {
  const [id, ...more] = supervision.resolve([target]);
  if (id !== undefined && more.length === 0) return id;
  throw new ProcletError('REFUSED', `${target} has more than one instance`, {
    hint: `Say which: ${id}, ${more.join(', ')}`,
  });
}
