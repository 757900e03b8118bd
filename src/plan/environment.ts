/**
 * The environment of an instance, layer by layer. Owns the order of the layers and the names that proclet
 * adds. Reads no environment: the parent's is an argument.
 */
import type { Env, Tag } from '../model.js';
import { lookUp, toRecord } from '../record.js';

type Variables = Readonly<Record<string, string>>;

/** The weakest first. */
export interface Layers {
  readonly parent: Env;
  /** Of the env files: adds to the parent's environment, but for PROCFILE does not change it. */
  readonly dotenv: Variables;
  readonly envFile: Variables;
  /** Of `env:`; refers to the others. */
  readonly service: Variables;
  readonly added: Variables;
}

/** All layers in one. */
export function mergeLayers({ parent, dotenv, envFile, service, added }: Layers): Readonly<Record<string, string>> {
  const inherited = Object.entries(parent).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const taken = new Set(inherited.map(([key]) => key));
  const fromFiles = Object.entries(dotenv).filter(([key]) => OVERRIDING.includes(key) || !taken.has(key));
  // PORT says there where the project begins; what a service gets is its own, or none.
  const common = [...inherited, ...fromFiles].filter(([key]) => key !== 'PORT');
  const below = toRecord([...common, ...Object.entries(envFile)]);
  const known = { ...below, ...added };
  const own = Object.entries(service).map(([key, value]) => [key, expand(value, known)] as const);
  return toRecord([...Object.entries(below), ...own, ...Object.entries(added)]);
}

/** `${NAME}`, `${NAME:-otherwise}` and `$$`; any other dollar is one. */
const REFERENCE = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_.]*)(?::-([^}]*))?\})/g;

/** The text with the references in it expanded. A name that is not there, or empty where there is a default, is the default. */
export function expand(text: string, variables: Env): string {
  return text.replace(REFERENCE, (_, name: string | undefined, otherwise: string | undefined) =>
    name === undefined ? '$' : lookUp(variables, name) || (otherwise ?? ''),
  );
}

/** The names that a text needs, for it has no default for them. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name, otherwise]) =>
    name === undefined || otherwise !== undefined ? [] : [name],
  );
}

/** What `addedVariables` sets: PORT only where there is one. */
export const ADDED_VARIABLES = ['PORT', 'PS', 'PROCLET_TAG', 'PROCLET_INSTANCE'] as const;

export interface Identity {
  readonly tag: Tag;
  /** 1-based. */
  readonly number: number;
  /** 0: it has none. */
  readonly port: number;
  /** `servicePorts` of the run. */
  readonly services: Variables;
}

/** What proclet adds for one instance: who it is, its port, and where the services of the run are. */
export function addedVariables({ tag, number, port, services }: Identity): Variables {
  return {
    ...(port > 0 && { PORT: String(port) }),
    PS: `${tag}.${number}`,
    PROCLET_TAG: tag,
    PROCLET_INSTANCE: String(number),
    ...services,
  };
}

/** `PROCLET_PORT_<TAG>` of each service that has one, its first instance's port. Of two with the same name the first wins. */
export function servicePorts(ports: Iterable<readonly [Tag, number]>): Variables {
  const pairs = [...ports]
    .filter(([, port]) => port > 0)
    .map(([tag, port]) => [portVariable(tag), String(port)] as const);
  return toRecord(pairs.reverse());
}

/** `web-api` is `PROCLET_PORT_WEB_API`. */
export function portVariable(tag: Tag): string {
  return `PROCLET_PORT_${tag.toUpperCase().replaceAll('-', '_')}`;
}

/** A project's file decides what the project is. */
const OVERRIDING = ['PROCFILE'];
