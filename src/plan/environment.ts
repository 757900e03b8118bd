/**
 * The environment of an instance, layer by layer. Owns the order of the layers and the names that proclet
 * adds. Reads no environment: the parent's is an argument.
 */
import type { Env, Tag } from '../model.js';
import { toRecord } from '../record.js';

type Variables = Readonly<Record<string, string>>;

/** The weakest first. */
export interface Layers {
  readonly parent: Env;
  /** Of the env files: adds to the parent's environment, but for PORT and PROCFILE does not change it. */
  readonly dotenv: Variables;
  readonly envFile: Variables;
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
  return toRecord([...inherited, ...fromFiles, ...[envFile, service, added].flatMap((layer) => Object.entries(layer))]);
}

/** What `addedVariables` always sets. */
export const ADDED_VARIABLES = ['PORT', 'PS', 'PROCLET_TAG', 'PROCLET_INSTANCE'] as const;

export interface Identity {
  readonly tag: Tag;
  /** 1-based. */
  readonly number: number;
  readonly port: number;
  /** `servicePorts` of the run. */
  readonly services: Variables;
}

/** What proclet adds for one instance: who it is, its port, and where the services of the run are. */
export function addedVariables({ tag, number, port, services }: Identity): Variables {
  return {
    PORT: String(port),
    PS: `${tag}.${number}`,
    PROCLET_TAG: tag,
    PROCLET_INSTANCE: String(number),
    ...services,
  };
}

/** `PROCLET_PORT_<TAG>` of each service, its first instance's port. Of two with the same name the first wins. */
export function servicePorts(ports: Iterable<readonly [Tag, number]>): Variables {
  const pairs = [...ports].map(([tag, port]) => [portVariable(tag), String(port)] as const);
  return toRecord(pairs.reverse());
}

/** `web-api` is `PROCLET_PORT_WEB_API`. */
export function portVariable(tag: Tag): string {
  return `PROCLET_PORT_${tag.toUpperCase().replaceAll('-', '_')}`;
}

/** As foreman and honcho do: a project's file decides where the project listens. */
const OVERRIDING = ['PORT', 'PROCFILE'];
