/**
 * What `proclet.yml` may say: the one schema that checks the file and that editors read. Owns the keys, the
 * forms of their values and the sentence for a value of another form; each sentence goes on from the key's
 * name. Lines and suggestions are added by `parse-config.ts`.
 */
import * as z from 'zod';
import { parsePoll } from '../duration.js';
import { isSchedule } from '../schedule.js';
import { duration } from './duration-schema.js';
import { listenAddresses } from './listen-schema.js';
import { readiness } from './ready-schema.js';
import { parseStopSignal, STOP_SIGNALS } from './signal-name.js';

/** One service. A map without a value is null in YAML and counts as empty. */
export const serviceSchema = z.strictObject(serviceShape(), { error: 'must be a map of keys and values' });

/** The whole file. */
export const configSchema = z
  .strictObject(
    {
      defaults: z
        .record(z.string(), flagValue(), { error: 'must be a map of flags and their values' })
        .nullish()
        .describe('Flags as if typed, by their long names without dashes. The command line and PROCLET_* win.'),
      services: z
        .record(z.string(), serviceSchema.nullable(), { error: 'must be a map of services by tag' })
        .nullish()
        .describe('What the Procfile cannot say, for each of its services by tag.'),
    },
    { error: 'must be a map of keys and values' },
  )
  .meta({ title: 'proclet.yml', description: 'Configuration of proclet, beside the Procfile.' });

function serviceShape() {
  return {
    ttl: duration(Infinity)
      .exactOptional()
      .describe('Longest life since the service was started: 30m, 1h30m, or a number of seconds. 0 is for ever.'),
    restart: z
      .enum(['always', 'on-failure', 'never'], 'must be one of always, on-failure, never')
      .exactOptional()
      .describe('What follows when the command ends by itself. The default is on-failure.'),
    'start-attempts': whole(0, 1000)
      .transform((written) => written || Infinity)
      .exactOptional()
      .describe('Starts in a row that may end before it is up; then it has failed. The default is 5, 0 is no limit.'),
    'success-exit-status': exitStatuses()
      .exactOptional()
      .describe('An exit status that counts as success besides 0, or a list: a code, or 128 + n for signal n.'),
    'stop-signal': stopSignal()
      .exactOptional()
      .describe(`The signal that asks it to end: ${STOP_SIGNALS.join(', ')}. The default is TERM.`),
    stop: z
      .enum(['leader', 'tree'], 'must be one of leader, tree')
      .exactOptional()
      .describe(
        'Whom the stop signal goes to: the leader, and the rest when it has gone (the default), or every process at once.',
      ),
    grace: duration(0)
      .exactOptional()
      .describe('Time between the stop signal and SIGKILL: 10s, or a number of seconds. The default is 5s.'),
    env: z
      .record(z.string().regex(/^[^=\0]+$/), environmentValue(), { error: 'must be a map of variables' })
      .nullable()
      .exactOptional()
      .describe('Environment variables. They win over the env files.'),
    'env-file': oneOrMore('must be the path of a file, or a list of them')
      .exactOptional()
      .describe('A file of variables, relative to the root, or a list of them, of which the later ones win.'),
    directory: text('must be the path of a directory').exactOptional().describe('Where it runs, relative to the root.'),
    umask: z
      .string('must be three or four octal digits, such as "022"')
      .regex(/^[0-7]{3,4}$/, 'must be three or four octal digits, such as "022"')
      .exactOptional()
      .describe('The file mode creation mask: three or four octal digits.'),
    user: text('must be the name of a user').exactOptional().describe('The user it runs as. Only root can do this.'),
    instances: whole(0, 1000).exactOptional().describe('How many of it to run, unless --formation says otherwise.'),
    port: portNumber()
      .exactOptional()
      .describe('The port of its first instance, instead of a computed one; false: it needs none, and gets no PORT.'),
    detach: z
      .array(programName(), 'must be a list of names of programs')
      .exactOptional()
      .describe('Programs that it may start and that are to outlive it, such as tmux.'),
    tty: z
      .boolean('must be true or false')
      .exactOptional()
      .describe('Give it a terminal of its own, which proclet attach shows.'),
    log: logFile().exactOptional().describe('A file for its output: the path, or file, max-size, backups, colors.'),
    ...useShape(),
    ...reloadShape(),
  };
}

/** When it starts and ends, by what it is used for. */
function useShape() {
  return {
    idle: duration(Infinity)
      .exactOptional()
      .describe('Longest life without use: 10m, or a number of seconds. 0 is for ever.'),
    'idle-on': z
      .enum(['access', 'output', 'none'], 'must be one of access, output, none')
      .exactOptional()
      .describe('What counts as use: accesses to its ports (the default), its output, or nothing.'),
    start: z
      .enum(['always', 'on-access', 'manual'], 'must be one of always, on-access, manual')
      .exactOptional()
      .describe('With the run (the default), at the first access, or only when it is named or needed.'),
    every: z
      .string('must be a schedule such as "*/5 * * * *" or @hourly')
      .refine(isSchedule, 'must be a schedule such as "*/5 * * * *" or @hourly')
      .exactOptional()
      .describe('Run at these times, written as in crontab(5), instead of continuously.'),
    listen: listenAddresses()
      .exactOptional()
      .describe(
        'The public address, or a list: a port, host:port, the path of a Unix socket, or its path, mode and owner.',
      ),
    'proxy-protocol': z
      .boolean('must be true or false')
      .exactOptional()
      .describe('Tell it who connects, by a PROXY protocol v2 header.'),
    ready: readiness()
      .exactOptional()
      .describe('How it shows that it is ready: one of tcp, http, log, command; and timeout.'),
    after: z
      .array(z.string('must be the tag of a service'), 'must be a list of tags')
      .exactOptional()
      .describe('Services that must be ready before it starts. They end after it.'),
  };
}

/** When it begins a new life, and how. */
function reloadShape() {
  return {
    watch: oneOrMore('must be a path, a pattern, or a list of them')
      .exactOptional()
      .describe('Files whose change means a reload: a path or a pattern as in .gitignore, or a list of them.'),
    'watch-poll': poll()
      .exactOptional()
      .describe('Look at the watched files this often, where the kernel does not tell of changes: true, or 1s.'),
    reload: z
      .enum(['restart', 'handover', 'shotgun'], 'must be one of restart, handover, shotgun')
      .exactOptional()
      .describe('Stop, then start (the default); start beside the old one, then stop it; or start at the next access.'),
    'reload-signal': stopSignal()
      .exactOptional()
      .describe('The signal that asks an old generation to end. The default is the stop signal.'),
    'reload-every': duration(Infinity).exactOptional().describe('A reload without a change, so often.'),
    'kill-old-delay': duration(0)
      .exactOptional()
      .describe('Time between a new generation being up and the signal to the old one. The default is 0.'),
    'status-file': text('must be the path of a file')
      .exactOptional()
      .describe('A file that holds generation:pid of each of its lives, relative to the root.'),
    'env-dir': text('must be the path of a directory')
      .exactOptional()
      .describe('A directory with a file for each variable, read for each life, relative to the root.'),
    settle: duration(0)
      .exactOptional()
      .describe('So long it must live to count as up, unless ready decides. The default is 1s.'),
  };
}

/** One or a list, as a list. */
function oneOrMore(sentence: string) {
  const one = text(sentence);
  return z.union([one, z.array(one)], sentence).transform((written) => [written].flat());
}

/** For editors: how such a value is read, and the sentence for another one, is in `givens.ts`. */
function flagValue() {
  const scalar = z.union([z.string(), z.number(), z.boolean()]);
  return z.union([scalar, z.array(scalar), z.null()]);
}

function text(sentence: string) {
  return z
    .string(sentence)
    .min(1, sentence)
    .regex(/^[^\0]*$/, sentence);
}

/** A path, or a map with one. */
function logFile() {
  const path = text('must be the path of a file, or a map with file, max-size, backups, colors');
  const full = z.strictObject({
    file: text('must be the path of a file'),
    'max-size': fileSize().default(10 * 1024 ** 2),
    backups: whole(0, 1000).default(5),
    colors: z.boolean('must be true or false').default(false),
  });
  return z
    .union([path, full], 'must be the path of a file, or a map with file, max-size, backups, colors')
    .transform((written) => (typeof written === 'string' ? full.parse({ file: written }) : written));
}

function fileSize() {
  const sentence = 'must be a size such as 5MB, 500KB or a number of bytes';
  return z.union([z.number(), z.string()], sentence).transform((written, context) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]?)B?$/i.exec(String(written).trim()) ?? [];
    const bytes = Math.round(Number(amount) * 1024 ** ' KMG'.indexOf(unit.toUpperCase() || ' '));
    if (bytes >= 1024) return bytes;
    context.addIssue({ code: 'custom', message: sentence });
    return z.NEVER;
  });
}

function programName() {
  const sentence = 'must be the name of a program, without a path';
  return z.string(sentence).regex(/^[A-Za-z0-9._+-]+$/, sentence);
}

function whole(least: number, most: number) {
  const sentence = `must be a whole number from ${least} to ${most}`;
  return z.int(sentence).min(least, sentence).max(most, sentence);
}

function portNumber() {
  const sentence = 'must be a whole number from 1 to 65535, or false';
  return z.union([z.int(sentence).min(1, sentence).max(65_535, sentence), z.literal(false, sentence)], sentence);
}

function exitStatuses() {
  const sentence = 'must be a whole number from 0 to 255, or a list of them';
  const one = z.int(sentence).min(0, sentence).max(255, sentence);
  return z.union([one, z.array(one)], sentence).transform((written) => [written].flat());
}

function environmentValue() {
  const sentence = 'must be a text, a number, true or false';
  return z.union([z.string().regex(/^[^\0]*$/, sentence), z.number(), z.boolean(), z.null()], sentence);
}

function poll() {
  const sentence = 'must be true, false, or a duration such as 1s, 500ms or 2 (seconds)';
  return z.union([z.boolean(), z.number().min(0, sentence), z.string()], sentence).transform((written, context) => {
    const every = parsePoll(String(written));
    if (every !== undefined) return every;
    context.addIssue({ code: 'custom', message: sentence });
    return z.NEVER;
  });
}

function stopSignal() {
  const sentence = `must be one of ${STOP_SIGNALS.join(', ')}`;
  return z.string(sentence).transform((written, context) => {
    const signal = parseStopSignal(written);
    if (signal !== undefined) return signal;
    context.addIssue({ code: 'custom', message: sentence });
    return z.NEVER;
  });
}
