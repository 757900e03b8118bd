/** The optional parts of a run: a socket, a command for events, keys. Each is loaded only if it is wanted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from './configuration.js';
import type { Subject } from './control/desk.js';
import type { ControlServer } from './control/server.js';
import { endsName } from './observers/ends.js';
import type { History } from './observers/history.js';
import { createJsonLines } from './observers/json-lines.js';
import type { Tail } from './observers/tail.js';
import { createTerminal, createTerminalMemory, type Terminal } from './observers/terminal.js';
import { noteFiles } from './platform/drafts.js';
import { type BondTools, watchMoment, watchProcess, watchStdin } from './platform/ends.js';
import { claimPidFile } from './platform/pid-file.js';
import type { ProcessTable } from './platform/process-table.js';
import type { Output } from './platform/stdout.js';
import type { Clock, Observer } from './ports.js';
import { type SinglePart, singlePart } from './run-part.js';
import type { Run } from './supervision.js';
import { describeTrouble, isSystemError } from './system-error.js';

/** The socket of a run. Without one the run goes on, and says what it will miss. */
export async function openControlOf(
  run: Run,
  parts: Pick<Subject, 'clock' | 'scale' | 'logFiles'> & { readonly history: History },
): Promise<ControlServer | undefined> {
  const { identity, socket, supervisor } = run;
  if (socket === '') return undefined;
  const { openControl } = await import('./control/server.js');
  const { history, ...rest } = parts;
  const loadDesk = async () => {
    const [{ createDesk }, { inspect, commandOf, ignores }, { resizeTerminal }] = await Promise.all([
      import('./control/desk.js'),
      import('./inspect.js'),
      import('./platform/pty.js'),
    ]);
    const { run: number, pid, name, root, command, since } = identity;
    const info = { protocol: 1, version: ownVersion(), run: number, pid, name, root, command, socket, since } as const;
    return createDesk({
      ...{ ...rest, info, supervision: supervisor, plan: run.plan, commandOf, ignores },
      inspect: (instances) => inspect(instances, [identity.cgroup]),
      ...{ events: history.events, completeSince: history.completeSince, secrets: () => run.secrets.all },
      resize: (pid, size) => void resizeTerminal(pid, size),
    });
  };
  const control = await openControl(socket, parts.clock, loadDesk).catch((error: Error) => {
    const text = `the other commands will not reach this run: ${describeTrouble(error)}`;
    supervisor.notice(`${text}; kill ${identity.pid} ends it and its services`);
    return undefined;
  });
  run.keep(control === undefined ? [] : [control], (text) => supervisor.notice(text));
  return control;
}

type Part = SinglePart<Configuration>;

/** The files that a run makes in the user's own places, noted while it lives. */
export function notePart(): Part {
  return singlePart(filesOf, (files) => {
    const { forget } = noteFiles(files);
    return { end: forget };
  });
}

/** The files that a run writes for its user. */
export function filesOf({ plan: { services }, look: { pidFile, logDirectory } }: Configuration): readonly string[] {
  const names = [...services.map(({ tag }) => `${tag}.log`), 'proclet.log', endsName, 'proclet.out'];
  const inDirectory = logDirectory === undefined ? [] : names.map((name) => join(logDirectory, name));
  const own = services.flatMap(({ log, statusFile }) => [log?.file ?? [], statusFile ?? []].flat());
  return [pidFile ?? [], own, inDirectory].flat();
}

/** The pid of proclet in a file. */
export function pidFilePart(table: ProcessTable): Part {
  return singlePart(
    ({ look }) => look.pidFile,
    (path) => ({ end: claimPidFile(path, table) }),
  );
}

/** The ends of a run that lie outside of it, but for that of its standard input. */
export function bondParts(tools: BondTools): readonly Part[] {
  return [
    singlePart(
      ({ look }) => look.until,
      (until) => ({ end: watchMoment(until, tools) }),
    ),
    singlePart(
      ({ look }) => look.untilExit,
      (pid) => ({ end: watchProcess(pid, tools) }),
    ),
  ];
}

/** A command for each event. One that was replaced still gets the events that happened before. */
export function hookPart({ spawn, supervisor }: Run, clock: Clock): Part {
  const closing: Promise<void>[] = [];
  const hookOf = ({ plan, look: { onEvent } }: Configuration) => {
    const env = plan.services.flatMap(({ instances }) => instances)[0]?.env ?? {};
    return onEvent === undefined ? undefined : { command: onEvent, directory: plan.root, env };
  };
  const part = singlePart(hookOf, async (value) => {
    const { createHooks } = await import('./platform/hooks.js');
    const hooks = createHooks({
      ...value,
      clock,
      spawn,
      shell: 'sh',
      told: (text) => supervisor.notice(text, 'on-event'),
    });
    let leave = () => {};
    return {
      begin() {
        leave = supervisor.subscribe(hooks.observe);
      },
      end() {
        leave();
        closing.push(hooks.close());
      },
    };
  });
  return {
    ...part,
    async close() {
      await part.close();
      await Promise.all(closing);
    },
  };
}

/** What proclet's standard input is for: its end may be that of the run, or its keys say what to do. */
export function stdinPart({ supervisor }: Run, clock: Clock, acts: { quit(): void } & Pick<BondTools, 'over'>): Part {
  const useOf = ({ look }: Configuration) => (look.stdinQuit ? 'quit' : look.keys ? 'keys' : undefined);
  return singlePart(useOf, (use) => {
    let end: (() => void) | undefined;
    return {
      async begin() {
        end = use === 'quit' ? watchStdin({ clock, ...acts }) : await hearKeysOf(supervisor, clock, acts.quit);
      },
      end: () => end?.(),
    };
  });
}

async function hearKeysOf(
  supervisor: Run['supervisor'],
  clock: Clock,
  quit: () => void,
): Promise<(() => void) | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  const [{ hearKeys }, { createKeyboard }] = await Promise.all([
    import('./platform/tty.js'),
    import('./control/keyboard.js'),
  ]);
  const keyboard = createKeyboard(supervisor, (text) => supervisor.notice(text), quit);
  try {
    return hearKeys(clock, (key) => keyboard.press(key));
  } catch (error) {
    supervisor.notice(`keys are not heard: ${describeTrouble(error)}`);
    return undefined;
  }
}

/** Lets a run hear of exceptions that nobody caught. Answers the end of that. */
export type OnStray = (listener: (error: unknown) => void) => () => void;

/** What runs already does not end because something about the run does not work; after a bug it ends in good order. */
export function outlastStrays({ supervisor }: Run, onStray: OnStray = () => () => {}): () => void {
  let isEnding = false;
  return onStray((error) => {
    if (isSystemError(error)) supervisor.notice(`something went wrong, and the run goes on: ${describeTrouble(error)}`);
    else {
      process.stderr.write(`proclet: this is a bug in proclet: ${error instanceof Error ? error.stack : error}\n`);
      if (!isEnding) supervisor.request({ type: 'shutdown', status: 1, patient: false, why: { is: 'bug' } });
      isEnding = true;
    }
  });
}

export interface Display extends Part {
  readonly observe: Observer;
}

/** The text that is printed on standard output. */
export function displayPart({ sink }: Output, lastWords: Tail['last']): Display {
  const none: Terminal = { observe() {}, finish() {} };
  let current = none;
  // Another layout goes on in the middle of what it shows.
  const memory = createTerminalMemory();
  const besides = (observe: Observer): Terminal => ({
    observe(event) {
      memory.sentencesAbout(event);
      observe(event);
    },
    finish() {},
  });
  const layoutOf = ({ plan, look }: Configuration) => {
    if (look.format !== 'text') return look.format;
    return {
      color: look.color,
      childColor: look.stripColor ? ('strip' as const) : ('pass' as const),
      timestamp: look.timestamp,
      ids: plan.services.flatMap(({ instances }) => instances.map(({ id }) => id)),
      positions: new Map(plan.services.map(({ tag, position }) => [tag, position])),
      quiet: look.quiet,
    };
  };
  const part = singlePart(layoutOf, (value) => ({
    begin() {
      if (value === 'none') current = besides(none.observe);
      else if (value === 'json') current = besides(createJsonLines(sink));
      else current = createTerminal({ ...value, sink, lastWords, memory });
    },
    end: () => current.finish(),
  }));
  return { ...part, observe: (event) => current.observe(event) };
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
