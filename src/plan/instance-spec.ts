/** What one instance of a service is: its program, its environment, how it is stopped, and what follows its end. */
import { resolve } from 'node:path';
import type {
  Backoff,
  Env,
  InstanceSpec,
  Millis,
  RestartPolicy,
  ServiceConfig,
  Settings,
  StopPolicy,
  Tag,
} from '../model.js';
import { lookUp } from '../record.js';
import { addedVariables, type Identity, mergeLayers } from './environment.js';
import { valueFor } from './per-tag.js';

/** The service, as far as its instances are the same. */
export interface Shared {
  readonly argv: readonly [string, ...string[]];
  readonly config: ServiceConfig;
  readonly restart: RestartPolicy;
}

/** What is the same for all services. */
export interface Surroundings {
  readonly settings: Settings;
  /** The project's directory, absolute. */
  readonly root: string;
  readonly env: Env;
  readonly dotenv: Readonly<Record<string, string>>;
  readonly envFiles: Readonly<Record<Tag, Readonly<Record<string, string>>>>;
  /** Before the first attempt to start again what crashed, instead of the usual one. */
  readonly firstDelay?: Millis;
}

const BACKOFF: Backoff = { first: 1000, max: 30_000, forgiveAfter: 30_000, giveUpAfter: 5 };
const SETTLE: Millis = 1000;
const GRACE: Millis = 5000;

export function instanceSpecOf(
  { argv, config, restart }: Shared,
  identity: Identity,
  surroundings: Surroundings,
): InstanceSpec {
  const { settings, root, env, dotenv, envFiles } = surroundings;
  const { tag, number, port } = identity;
  const { umask, user, 'env-dir': envDirectory, 'stop-signal': stopSignal = 'SIGTERM' } = config;
  const { 'success-exit-status': expected = [] } = config;
  return {
    id: `${tag}.${number}`,
    tag,
    argv,
    env: mergeLayers({
      ...{ parent: env, dotenv, envFile: lookUp(envFiles, tag) ?? {} },
      ...{ service: config.env ?? {}, added: addedVariables(identity) },
    }),
    port,
    tty: config.tty ?? false,
    directory: resolve(root, config.directory ?? '.'),
    ...(umask === undefined ? {} : { umask }),
    ...(user === undefined ? {} : { user }),
    detach: config.detach ?? [],
    restart,
    ...(expected.length > 0 && { expected }),
    backoff: backoffOf(config, surroundings),
    settle: config.settle ?? SETTLE,
    stopSignal,
    stop: valueFor(settings.stop, tag, config.stop) ?? usualStop(stopSignal),
    reloadSignal: config['reload-signal'] ?? stopSignal,
    ...(envDirectory === undefined ? {} : { envDirectory: resolve(root, envDirectory) }),
    grace: valueFor(settings.grace, tag, config.grace) ?? GRACE,
  };
}

/** INT is what a terminal sends to every process in front of it, and shells and npm rely on that: they pass it on to nobody. */
function usualStop(signal: NodeJS.Signals): StopPolicy {
  return signal === 'SIGINT' ? 'tree' : 'leader';
}

function backoffOf(
  { 'start-attempts': giveUpAfter = BACKOFF.giveUpAfter }: ServiceConfig,
  { firstDelay: first = BACKOFF.first }: Surroundings,
): Backoff {
  return { ...BACKOFF, first, max: Math.max(first, BACKOFF.max), giveUpAfter };
}
