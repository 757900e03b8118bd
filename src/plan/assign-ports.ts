/**
 * Which instance gets which port. Owns the arithmetic (base, 100 for each position in the Procfile, 1 for
 * each further instance; a fixed port counts up from itself) and what is wrong with a result. Whether a port
 * is free on this machine is not asked here.
 */
import type { Parsed, Problem, Tag } from '../model.js';
import { lookUp } from '../record.js';
import { readPort } from './reading.js';

/** The ports of each service, the first instance's first. */
export type Ports = ReadonlyMap<Tag, readonly number[]>;

/** What one service needs. */
export interface PortClaim {
  readonly tag: Tag;
  /** Among all entries of the Procfile, selected or not: what is left out moves nobody. */
  readonly position: number;
  /** The entry's line, for messages. */
  readonly line: number;
  readonly count: number;
  /** The first instance's port, when `proclet.yml` fixes it; `false`: it needs none. */
  readonly fixed?: number | false | undefined;
}

/**
 * The ports of each service by tag, the first instance's first, and 0 where none is needed; or every collision and every port that does
 * not exist, each on the line of its service.
 */
export function assignPorts(claims: readonly PortClaim[], base: number, path: string): Parsed<Ports> {
  const problems: Problem[] = [];
  const ports = new Map<Tag, readonly number[]>();
  const holders = new Map<number, string>();
  for (const claim of claims) {
    const { tag, line, count, fixed } = claim;
    if (fixed === false) {
      ports.set(tag, new Array<number>(count).fill(0));
      continue;
    }
    const first = fixed ?? base + BLOCK * claim.position;
    const assigned = Array.from({ length: count }, (_, index) => first + index);
    ports.set(tag, assigned);
    const mistake = rangeMistake(claim, first) ?? collision(claim, assigned, holders);
    if (mistake !== undefined) problems.push({ path, line, ...mistake });
    for (const [index, port] of assigned.entries()) holders.set(port, `${tag}.${index + 1}`);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: ports };
}

/** Texts that may hold the base port when no setting does, the strongest first. */
export interface BasePorts {
  readonly dotenv: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** PORT of the env files, else PORT of the environment, else 5000. An unusable text is named, not passed over. */
export function readBasePort({ dotenv, env }: BasePorts): Parsed<number> {
  const places = [
    { text: lookUp(dotenv, 'PORT'), path: 'the env file' },
    { text: lookUp(env, 'PORT'), path: 'the environment' },
  ];
  // An empty PORT is how a shell says there is none.
  const given = places.find(({ text }) => text !== undefined && text !== '');
  if (given?.text === undefined) return { ok: true, value: 5000 };
  const port = readPort(given.text);
  if (port.ok) return port;
  return { ok: false, problems: [{ path: given.path, message: `PORT: ${port.message}`, hint: '--port wins over it' }] };
}

const BLOCK = 100;
const HIGHEST = 65_535;

type Mistake = Pick<Problem, 'message' | 'hint'>;

function rangeMistake({ tag, count, fixed }: PortClaim, first: number): Mistake | undefined {
  if (fixed === undefined && count > BLOCK) {
    const hint = `run at most ${BLOCK} of it, or give it a port in proclet.yml`;
    return { message: `${count} instances of ${tag} do not fit into its ${BLOCK} ports`, hint };
  }
  const last = first + count - 1;
  if (last <= HIGHEST) return undefined;
  const hint = fixed === undefined ? 'start lower with --port' : 'give it a lower port in proclet.yml';
  return { message: `${tag}.${count} would get port ${last}, and the highest is ${HIGHEST}`, hint };
}

/** One problem for a service, not one for each of its instances. */
function collision(
  { tag }: PortClaim,
  assigned: readonly number[],
  holders: ReadonlyMap<number, string>,
): Mistake | undefined {
  const index = assigned.findIndex((port) => holders.has(port));
  const port = assigned[index];
  const holder = port === undefined ? undefined : holders.get(port);
  if (holder === undefined) return undefined;
  const message = `${holder} and ${tag}.${index + 1} would both get port ${port}`;
  return { message, hint: 'give one of them another port in proclet.yml, or move all with --port' };
}
