/**
 * What a script says that would do nothing, and say nothing: names that are no options, and values that are none. TypeScript
 * finds most of it; plain JavaScript does not. Pure.
 */
import type { Problem } from '../model.js';
import { suggest } from '../procfile/suggest.js';
import type { Service } from './input.js';
import type { ProcletOptions, ServiceOptions } from './options.js';

const optionNames: Readonly<Record<keyof ProcletOptions, true>> = {
  color: true,
  timestamp: true,
  logger: true,
  errRespawnInterval: true,
  ttl: true,
  idle: true,
  grace: true,
  onExit: true,
  port: true,
  root: true,
  name: true,
  logDir: true,
  env: true,
};

const serviceNames: Readonly<Record<keyof ServiceOptions, true>> = {
  code: true,
  tag: true,
  worker: true,
  every: true,
  ttl: true,
  idle: true,
  idleOn: true,
  start: true,
  after: true,
  listen: true,
  proxyProtocol: true,
  port: true,
  ready: true,
  restart: true,
  startAttempts: true,
  successExitStatus: true,
  watch: true,
  watchPoll: true,
  reload: true,
  reloadSignal: true,
  reloadEvery: true,
  killOldDelay: true,
  statusFile: true,
  stopSignal: true,
  stop: true,
  grace: true,
  settle: true,
  env: true,
  envDir: true,
  directory: true,
  user: true,
  umask: true,
  tty: true,
  detach: true,
  log: true,
};

/** What proclet.yml has under a name that does nothing here, and what does it instead. */
const instead: Readonly<Record<string, string>> = {
  envFile: 'a script reads no file of variables; give them with env, or name a directory with envDir',
  instances: 'worker says how many of it run',
  command: 'code is what it runs',
};

export function isServiceOption(name: string): boolean {
  return Object.hasOwn(serviceNames, name);
}

/** Whether a value cannot be written, and so would not be heard. */
export function isMute(value: unknown): boolean {
  return ['function', 'symbol', 'bigint'].includes(typeof value);
}

export function mistakesIn(services: readonly Service[], { logger, ...options }: ProcletOptions): Problem[] {
  return [
    ...unknownIn(options, Object.keys(optionNames), (name) => `${name} is not an option`),
    ...muteIn(options, ''),
    ...(logger === undefined || typeof logger === 'function' ? [] : [problem('logger must be a function')]),
    ...services.flatMap(({ tag, code, ...said }) => [
      ...(isCode(code)
        ? []
        : [
            problem(
              `services.${tag}.code must be a line for the shell, a list of a program and its arguments, or a function`,
            ),
          ]),
      ...unknownIn(said, Object.keys(serviceNames), (name) => `services.${tag}.${name} is not an option of a service`),
      ...muteIn(said, `services.${tag}.`),
    ]),
  ];
}

function unknownIn(said: object, known: readonly string[], describe: (name: string) => string): Problem[] {
  const unknown = Object.keys(said).filter((name) => !known.includes(name));
  return unknown.map((name) => {
    const other = Object.hasOwn(instead, name) ? instead[name] : suggest(name, known);
    return problem(describe(name), other ?? `it has ${known.join(', ')}`);
  });
}

/** Only a service's code and the logger are functions. */
function muteIn(said: object, prefix: string): Problem[] {
  const mute = Object.entries(said).filter(([, value]) => isMute(value));
  return mute.map(([name, value]) => problem(`${prefix}${name} cannot be a ${typeof value}`));
}

function isCode(code: unknown): boolean {
  if (Array.isArray(code)) return code.length > 0 && code.every((part) => typeof part === 'string');
  return typeof code === 'function' || (typeof code === 'string' && code.trim() !== '');
}

function problem(message: string, hint?: string): Problem {
  return { path: 'new Proclet', message, ...(hint !== undefined && { hint }) };
}
