/** Runs a command for each event, one after the other, with the event as JSON on its standard input. */
import { describeExit } from '../exit-status.js';
import type { InstanceSpec, Millis, ProcletEvent } from '../model.js';
import type { Child, Clock, Observer, Spawn } from '../ports.js';
import { eventToWire, toLine } from '../wire.js';

export interface HookOptions {
  readonly clock: Clock;
  readonly spawn: Spawn;
  readonly command: string;
  readonly shell: string;
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  /** Told what the command prints, that it failed, and that events were left out. */
  readonly told: (text: string) => void;
}

export interface Hooks {
  readonly observe: Observer;
  /** Waits for the commands, ends what lasts too long, and resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** Events that may wait for the command. */
const mostWaiting = 1000;
/** How long one command may take, and how long those that wait at the end. */
const longest: Millis = 10_000;
const farewell: Millis = 2_000;

/** No service can have this name, and so neither its port nor its sockets are those of one. */
const hookId = '(on-event)';

export function createHooks({ clock, spawn, command, shell, env, directory, told }: HookOptions): Hooks {
  const queue: string[] = [];
  let current: Child | undefined;
  let left = 0;
  let isOver = false;
  let idle = () => {};

  const spec = (event: string): InstanceSpec => ({
    ...{ id: hookId, tag: hookId, argv: [shell, '-c', command], port: 0, tty: false, directory, detach: [] },
    ...{ restart: 'never', backoff: { first: 0, max: 0, forgiveAfter: 0, giveUpAfter: 0 }, settle: 0 },
    ...{
      stopSignal: 'SIGTERM',
      stop: 'tree',
      reloadSignal: 'SIGTERM',
      grace: 0,
      env: { ...env, PROCLET_EVENT: event },
    },
  });

  const next = () => {
    const line = isOver ? undefined : queue.shift();
    if (line === undefined) {
      if (left > 0) told(`--on-event: ${left} events came faster than the command runs, and were left out`);
      left = 0;
      idle();
      return;
    }
    const began = clock.now();
    let expire = () => {};
    current = spawn(
      spec((JSON.parse(line) as { type: string }).type),
      {
        output: ({ text, end }) => void (end === 'open' || told(`--on-event: ${text.trimEnd()}`)),
        orphaned: () => current?.kill(),
        exited: ({ exit }) => {
          expire();
          current = undefined;
          const isGood = exit.how === 'code' && exit.code === 0;
          if (!isGood && !isOver) told(`--on-event: the command ${describeExit(exit)}`);
          next();
        },
      },
      1,
    );
    expire = clock.wakeAt(began + longest, () => current?.kill());
    current.send(line);
    current.endInput();
  };

  return {
    observe(event: ProcletEvent) {
      const isOwn = event.type === 'notice' && event.code === 'on-event';
      if (event.type === 'output' || isOver || isOwn) return;
      if (queue.length >= mostWaiting) left += 1;
      else queue.push(toLine(eventToWire(event)));
      if (current === undefined) next();
    },
    close: () =>
      new Promise<void>((resolve) => {
        idle = resolve;
        if (current === undefined && queue.length === 0) return resolve();
        clock.wakeAt(clock.now() + farewell, () => {
          isOver = true;
          if (current) current.kill();
          else resolve();
        });
      }),
  };
}
