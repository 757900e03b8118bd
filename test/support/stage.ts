import { afterEach } from 'vitest';
import type { InstanceSpec, Output, Remains } from '../../src/model.js';
import { createClock } from '../../src/platform/clock.js';
import { createGuests } from '../../src/platform/guests.js';
import { LifeNumbers } from '../../src/platform/life-numbers.js';
import { newRun } from '../../src/platform/mark.js';
import { createPipes } from '../../src/platform/pipes.js';
import { createProcessTable } from '../../src/platform/process-table.js';
import { ProcessTrees } from '../../src/platform/process-tree.js';
import { createSpawn } from '../../src/platform/spawn.js';
import type { Child } from '../../src/ports.js';
import { environment } from './environment.js';
import { eventually } from './eventually.js';
import { instanceSpec } from './plans.js';

const clocks: { close(): void }[] = [];
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.close();
});

export interface Life {
  readonly child: Child;
  readonly outputs: Output[];
  /** The bytes of whole lines so far, as text. */
  readonly text: string;
  readonly orphans: number[];
  readonly remains: Promise<Remains>;
  line(text: string): Promise<string>;
}

/** Starts one real program, without a supervisor. */
export function live(directory: string, argv: [string, ...string[]], over: Partial<InstanceSpec> = {}): Life {
  const clock = createClock();
  clocks.push(clock);
  const table = createProcessTable();
  const run = newRun();
  const trees = new ProcessTrees(clock, table, createGuests(table));
  const gate = { isOpen: true, whenOpen: (go: () => void) => go() };
  const detachment = { pathFor: (_: readonly string[], path: string) => path, close() {} };
  const ports = { isTaken: () => undefined, holder: () => '' };
  const spawn = createSpawn({
    clock,
    trees,
    guardian: { born() {}, ended() {} },
    run,
    numbers: new LifeNumbers(run, table),
    stdio: 'piped',
    gate,
    owners: new Map(),
    detachment,
    ports,
    portOf: ({ port }) => port,
    socketsOf: () => [],
    pipes: createPipes(3),
  });
  const outputs: Output[] = [];
  const orphans: number[] = [];
  const env = { PATH: environment()['PATH'] ?? '', ...over.env };
  let resolve: (remains: Remains) => void;
  const remains = new Promise<Remains>((done) => {
    resolve = done;
  });
  const child = spawn(
    instanceSpec({ argv, directory, ...over, env }),
    {
      output: (output) => outputs.push(output),
      orphaned: ({ processes }) => orphans.push(processes),
      exited: (result) => resolve(result),
    },
    1,
  );
  const text = () =>
    Buffer.from(
      outputs
        .filter(({ end }) => end === 'line')
        .map((output) => output.text)
        .join(''),
      'latin1',
    ).toString();
  return {
    child,
    outputs,
    orphans,
    remains,
    get text() {
      return text();
    },
    line: (wanted) =>
      eventually(() => {
        const found = text()
          .split('\n')
          .find((line) => line.includes(wanted));
        if (found === undefined) throw new Error(`no line with '${wanted}' in:\n${text()}`);
        return found;
      }),
  };
}
