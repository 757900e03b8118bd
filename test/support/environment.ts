/**
 * The environment in which tests run and that they give to programs: made here, so that a test means the same in
 * every shell. Vitest loads this before each file of tests (`setupFiles`); from then on nothing else of the caller's is there.
 */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';

/** What a caller may ask of the tests themselves; no program is given it. */
const questions = [
  'FAULTS',
  'FRAMES',
  'MATRIX_REPORT',
  'NOTHING_SKIPS', // a program that is missing is an error
  'REQUESTS',
  'ROUNDS',
  'UPDATE_EVENTS',
  'UPDATE_SCHEMA',
] as const;

/** Vitest reads these in its workers. */
const vitests = /^(VITEST|VITEST_\w+|TEST|NODE_ENV|MODE|DEV|PROD|SSR|BASE_URL)$/;

/** What belongs to the machine, and what is as on every machine. `node` is the Node that runs the tests. */
const made = {
  PATH: [dirname(process.execPath), ...ownPrograms(process.env['PATH'])].join(':'),
  TERM: 'dumb',
  TZ: 'UTC',
  // Whoever asks for a run of the tests without control groups means every proclet in them.
  ...(process.env['PROCLET_CGROUP'] === 'off' && { PROCLET_CGROUP: 'off' }),
};

/** Where the person who runs the tests lives: for what finds an installed program, never for one under test. */
export const home = process.env['HOME'];

const asked = new Map(questions.map((name) => [name, process.env[name]] as const));

for (const name of Object.keys(process.env)) {
  // A temporary directory is where tests put what they make. It is no setting.
  if (!vitests.test(name) && name !== 'TMPDIR') delete process.env[name];
}
Object.assign(process.env, made);

/** The environment of a program that a test starts; undefined takes a variable away. */
export function environment(over: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const entries = Object.entries({ ...made, ...over });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** What whoever started the tests asks of them. */
export function question(name: (typeof questions)[number]): string | undefined {
  return asked.get(name);
}

/**
 * The programs of the machine, without those of a package that npm puts before them. Where this user may not look there
 * are none, but a shell that looks answers 126 for a program that is nowhere.
 */
function ownPrograms(path = ''): string[] {
  return path.split(':').filter((directory) => !directory.includes('node_modules') && mayEnter(directory));
}

function mayEnter(directory: string): boolean {
  try {
    accessSync(directory, constants.X_OK);
    return true;
  } catch {
    return false; // ENOENT, EACCES
  }
}
