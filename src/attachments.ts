/** What a run may have besides its services: a socket, log files, a command for events, keys. Each is loaded if it is wanted. */
import { readFileSync } from 'node:fs';
import type { Subject } from './control/desk.js';
import type { ControlServer } from './control/server.js';
import type { Plan } from './model.js';
import type { History } from './observers/history.js';
import type { LogFiles } from './observers/log-files.js';
import type { Hooks } from './platform/hooks.js';
import type { Clock } from './ports.js';
import type { Run } from './supervision.js';

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
      ...{ events: history.events, completeSince: history.completeSince },
      resize: (pids, size) => void resizeTerminal(pids, size),
    });
  };
  return openControl(socket, parts.clock, loadDesk).catch((error: Error) => {
    supervisor.notice(`the other commands will not reach this run: ${error.message}`);
    return undefined;
  });
}

export async function openLogs(
  plan: Plan,
  logDirectory: string | undefined,
  told: (problem: string) => void,
): Promise<LogFiles | undefined> {
  if (logDirectory === undefined && plan.services.every(({ log }) => log === undefined)) return undefined;
  const { createLogFiles } = await import('./observers/log-files.js');
  return createLogFiles(plan, logDirectory, told);
}

export async function openHooks(
  { spawn, supervisor, plan }: Run,
  onEvent: string | undefined,
  clock: Clock,
): Promise<Hooks | undefined> {
  if (onEvent === undefined) return undefined;
  const { createHooks } = await import('./platform/hooks.js');
  const env = plan().services.flatMap(({ instances }) => instances)[0]?.env ?? {};
  const hooks = createHooks({
    ...{ clock, spawn, env, command: onEvent, shell: 'sh', directory: plan().root },
    told: (text) => supervisor.notice(text),
  });
  supervisor.subscribe(hooks.observe);
  return hooks;
}

export async function hearKeysOf(
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
  return hearKeys(clock, (key) => keyboard.press(key));
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
