import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { createSecond, detachedInto, tellStarted } from '../cli/detached.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { openInBrowser } from '../cli/open-in-browser.js';
import { readProjects } from '../cli/projects.js';
import { serveLauncher } from '../cli/serve-launcher.js';
import { stateDirectory } from '../cli/state-dir.js';
import { parseDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { findLauncher, type LauncherRecord } from '../platform/launcher-record.js';
import { untilGone } from '../platform/until-gone.js';

/** Services have their grace. */
const patience = 60_000;
const loopback = ['127.0.0.1', '::1'];

export default class Launcher extends BaseCommand {
  static override summary = 'Serve a page that starts any registered project and takes you there.';
  static override description =
    `Projects are registered with proclet project add. What the page starts gets a free port and
ends when nobody has used it for a while, or with the launcher. Only you reach the page, from this machine.`;
  static override examples = [
    { description: 'at http://localhost:2000/', command: '<%= config.bin %> launcher' },
    { description: 'in the background, and opened', command: '<%= config.bin %> launcher -D --open' },
    { description: 'half an hour for everything it starts', command: '<%= config.bin %> launcher --ttl 30m --idle 0' },
  ];
  static override flags = {
    port: Flags.string({ char: 'p', helpValue: 'PORT', summary: 'Where to listen.', default: '2000' }),
    idle: Flags.string({
      ...{ helpValue: '10m', default: '10m' },
      summary: 'End services that say nothing of it this long after their last use; 0 is never.',
    }),
    ttl: Flags.string({
      ...{ aliases: ['alarm'], helpValue: '30m' },
      summary: 'End services that say nothing of it this long after their start.',
    }),
    keep: Flags.boolean({ summary: 'Let what it started outlive it.' }),
    detach: Flags.boolean({ char: 'D', summary: 'Run in the background.' }),
    open: Flags.boolean({ summary: 'Show the page in the browser.' }),
    stop: Flags.boolean({ summary: 'End the launcher that runs, and what it started.' }),
    json: jsonFlag,
    host: Flags.string({
      ...{ helpValue: 'ADDRESS', multiple: true, multipleNonGreedy: true },
      summary: 'Listen there instead of on loopback: whoever reaches it can start your projects.',
    }),
    'any-user': Flags.boolean({ summary: 'Answer to every user of this machine, not only to you.' }),
    'allow-host': Flags.string({
      ...{ helpValue: 'NAME', multiple: true, multipleNonGreedy: true },
      summary: 'Answer to this name too.',
    }),
  };

  async run(): Promise<number> {
    const into = detachedInto();
    const { flags } = await this.parse(Launcher);
    if (flags.stop) return stopLauncher(flags.json);
    const { ttl, idle, keep, host = loopback, 'allow-host': allowed = [], 'any-user': anyUser } = flags;
    const port = portOf(flags.port);
    const lease = { idle: checked('--idle', idle), ...(ttl !== undefined && { ttl: checked('--ttl', ttl) }) };
    const running = findLauncher();
    if (running !== undefined) return this.#meet(running, flags);
    if (flags.detach && into === undefined) return this.#detach(flags);
    const allowedHosts = [...host, ...allowed].map((name) => (name.includes(':') ? `[${name}]` : name.toLowerCase()));
    return serveLauncher({ port, hosts: host, allowedHosts, lease, keep, anyUser }, async (url, say) => {
      const count = readProjects().length;
      const projects = count === 1 ? '1 project' : `${count} projects`;
      if (flags.json) say(JSON.stringify({ url, pid: process.pid }));
      else
        say(
          `The launcher is at ${url} (${projects}). ${into === undefined ? 'Ctrl-C ends it' : 'It runs in the background'}${keep ? '.' : ', and with it what it started.'}`,
        );
      if (into === undefined && flags.open) await openInBrowser(url);
      tellStarted();
    });
  }

  /** There is one for each user. */
  async #meet({ url, pid }: LauncherRecord, { open, json }: Wish): Promise<number> {
    if (!open) {
      throw new ProcletError('REFUSED', `a launcher runs already: ${url} (pid ${pid})`, {
        hint: 'Look at it with --open, or end it with --stop.',
      });
    }
    if (json) printJson({ url, pid });
    else process.stdout.write(`A launcher is at ${url} already (pid ${pid}).\n`);
    await openInBrowser(url);
    return 0;
  }

  async #detach({ open, json }: Wish): Promise<number> {
    const directory = stateDirectory('launcher', '');
    const own = new Set(['-D', '--detach', '--open', '--json']);
    const pid = await createSecond(directory, 'launcher').start(
      this.argv.filter((word) => !own.has(word)),
      directory,
    );
    const url = findLauncher()?.url ?? '';
    if (json) printJson({ url, pid });
    else process.stdout.write(`The launcher is at ${url} (pid ${pid}). proclet launcher --stop ends it.\n`);
    if (open) await openInBrowser(url);
    return 0;
  }
}

interface Wish {
  readonly open: boolean;
  readonly json: boolean;
}

async function stopLauncher(json: boolean): Promise<number> {
  const found = findLauncher();
  if (found === undefined) throw new ProcletError('NOT_RUNNING', 'no launcher runs');
  process.kill(found.pid, 'SIGTERM');
  await untilGone(found, patience);
  if (findLauncher()?.pid === found.pid) {
    throw new ProcletError('FAILED', `the launcher (pid ${found.pid}) still ends what it started`);
  }
  if (json) printJson({ pid: found.pid });
  else process.stdout.write('The launcher has ended.\n');
  return 0;
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new ProcletError('USAGE', `--port: '${text}' is not a port; write a number from 1 to 65535`);
}

function checked(flag: string, text: string): string {
  if (parseDuration(text) !== undefined) return text;
  throw new ProcletError('USAGE', `${flag}: '${text}' is not a duration; write 30m, 1h30m, 90s or 500ms`);
}
