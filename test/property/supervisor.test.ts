/**
 * A whole supervisor against a pretend machine, whatever people, files, accesses, programs and time do. The machine
 * knows which lives there are, and is the judge.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProcletError } from '../../src/errors.js';
import { gestureLasts } from '../../src/gesture.js';
import { lifeKey } from '../../src/life-key.js';
import type { Exit, InstanceSpec, Plan, Request, Tag } from '../../src/model.js';
import type { Child, ChildListener, Spawn } from '../../src/ports.js';
import { patience } from '../../src/supervisor/instance.js';
import { Supervisor } from '../../src/supervisor/supervisor.js';
import { FakeClock } from '../support/fake-clock.js';
import { planOf, type ServiceWish } from '../support/plans.js';

interface Life {
  readonly key: string;
  readonly spec: InstanceSpec;
  readonly generation: number;
  readonly listener: ChildListener;
  readonly pid: number;
  alive: boolean;
}

const killed: Exit = { how: 'signal', signal: 'SIGKILL' };

/** What each service is, apart from how many instances it has. */
const kinds: Readonly<Record<Tag, ServiceWish>> = {
  plain: {},
  fixed: { overlaps: false, watch: ['.'], restart: 'always' },
  leased: { ttl: 20_000, after: ['plain'] },
  timed: { every: 'often', restart: 'never' },
  asleep: { start: 'on-access', idle: 5_000 },
  handed: { watch: ['.'], reload: 'handover', killOldDelay: 500, ready: { kind: 'tcp', timeout: 4_000 } },
  shot: { watch: ['.'], reload: 'shotgun', start: 'on-access' },
};
const tags = Object.keys(kinds);

type Counts = Readonly<Record<Tag, number>>;

/** A service that has no number is not in the plan. Places, and with them ports, stay. */
function planWith(counts: Counts): Plan {
  const all = planOf(Object.fromEntries(tags.map((tag) => [tag, { ...kinds[tag], count: counts[tag] ?? 0 }])));
  const services = all.services.filter(({ tag }) => counts[tag] !== undefined);
  const known = (tag: Tag) => counts[tag] !== undefined;
  return { ...all, services: services.map((service) => ({ ...service, after: service.after.filter(known) })) };
}

class Machine {
  readonly clock = new FakeClock();
  readonly lives: Life[] = [];
  /** Everybody put these down, and nobody asked for them since. */
  readonly putDown = new Set<Tag>();
  readonly supervisor: Supervisor;
  counts: Counts;
  status: number | undefined;
  #drains: (() => void)[] = [];

  constructor(counts: Counts) {
    this.counts = counts;
    this.supervisor = new Supervisor(planWith(counts), {
      clock: this.clock,
      spawn: this.spawn,
      look: () => ({ last: -Infinity, busy: false, listens: false }),
      drain: () => new Promise((done) => void this.#drains.push(done)),
      hear: () => [],
      listensItself: () => false,
      next: (_schedule, after) => after + 3_000,
    });
    void this.supervisor.finished.then((status) => {
      this.status = status;
      expect(this.alive.map(({ key }) => key)).toEqual([]);
    });
    this.supervisor.start();
  }

  get alive(): readonly Life[] {
    return this.lives.filter(({ alive }) => alive);
  }

  spawn: Spawn = (spec, listener, generation): Child => {
    const key = lifeKey({ id: spec.id, generation });
    if (this.lives.some((life) => life.key === key)) throw new Error(`${key} is given twice`);
    if (this.putDown.has(spec.tag)) throw new Error(`${key} begins, and ${spec.tag} was put down`);
    for (const other of this.alive) {
      const isOfSlot = other.spec.id === spec.id;
      if (isOfSlot && kinds[spec.tag]?.overlaps === false) throw new Error(`${key} begins beside ${other.key}`);
      if (!isOfSlot && other.spec.port === spec.port) throw new Error(`${key} has the port of ${other.key}`);
    }
    const life: Life = { key, spec, generation, listener, pid: this.lives.length + 1, alive: true };
    this.lives.push(life);
    const hear = (what: string) => {
      if (!life.alive) throw new Error(`${key} is dead and gets ${what}`);
    };
    return {
      ...{
        pid: life.pid,
        mark: '',
        pass: (what) => {
          hear(what);
          return true;
        },
        signal: hear,
        pids: () => [life.pid],
        tap: () => () => {},
        endInput() {},
        entrust() {},
      },
      send: () => true,
      kill: () => hear('kill'),
      abandon: () => {
        hear('abandon');
        this.exit(life, killed);
      },
    };
  };

  exit(life: Life, exit: Exit): void {
    life.alive = false;
    life.listener.exited({ exit, processes: 1, survivors: [] });
  }

  scale(counts: Counts): void {
    for (const tag of tags) if ((this.counts[tag] ?? 0) === 0 && (counts[tag] ?? 0) > 0) this.ask([tag]);
    this.counts = counts;
    this.supervisor.reconfigure(planWith(counts));
  }

  /** Somebody wants these, and so what they are after. */
  ask(asked: readonly Tag[]): void {
    for (const tag of asked) for (const each of [tag, ...(kinds[tag]?.after ?? [])]) this.putDown.delete(each);
  }

  request(request: Request): void {
    const named = 'targets' in request ? (request.targets ?? []) : [];
    const concerned = named.length === 0 ? tags : named.map((word) => word.split('.')[0] ?? word);
    if (request.type === 'restart' || request.type === 'touch') this.ask(concerned);
    try {
      this.supervisor.request(request);
    } catch (error) {
      if (!(error instanceof ProcletError)) throw error;
      return;
    }
    if (request.type === 'stop') for (const word of named) if (!word.includes('.')) this.putDown.add(word);
  }

  async pass(time: number): Promise<void> {
    this.clock.advance(time);
    for (const done of this.#drains.splice(0)) done();
    for (let n = 0; n < 4; n += 1) await Promise.resolve();
    this.clock.advance(0);
  }

  /** What is shown is what runs: each life once, and nothing else. */
  assertShown(): void {
    const rows = this.supervisor.snapshot().services.flatMap(({ instances }) => instances);
    const running = rows.filter(({ pid }) => pid !== undefined).map((row) => `${lifeKey(row)} ${row.pid}`);
    expect(running.sort()).toEqual(this.alive.map(({ key, pid }) => `${key} ${pid}`).sort());
    for (const { id, phase, pid } of rows) {
      const lives = phase === 'starting' || phase === 'up' || phase === 'stopping';
      expect([id, phase, lives]).toEqual([id, phase, pid !== undefined]);
    }
  }
}

type Move =
  | { readonly scale: readonly [Tag, number | undefined] }
  | { readonly request: Request }
  | { readonly change: Tag }
  | { readonly access: Tag }
  | { readonly wait: number }
  | { readonly exit: Exit; readonly which: number }
  | { readonly orphan: number }
  | { readonly ready: number };

const tag = fc.constantFrom(...tags);
const targets = fc.oneof(tag, fc.constantFrom('plain.1', 'fixed.2', 'handed.1', 'timed.1')).map((word) => [word]);
const which = fc.nat(20);
const exits = fc.constantFrom<Exit[]>({ how: 'code', code: 0 }, { how: 'code', code: 1 }, killed);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(tag, fc.constantFrom(undefined, 0, 1, 2, 3)).map((scale) => ({ scale })) },
  {
    weight: 4,
    arbitrary: fc
      .record({ type: fc.constantFrom('stop', 'restart', 'touch', 'expire', 'keep'), targets })
      .map((request) => ({ request: request as Request })),
  },
  { weight: 2, arbitrary: tag.map((change) => ({ change })) },
  { weight: 2, arbitrary: tag.map((access) => ({ access })) },
  { weight: 4, arbitrary: fc.constantFrom(0, 20, 200, 1_000, 3_000, 9_000).map((wait) => ({ wait })) },
  { weight: 5, arbitrary: fc.record({ exit: exits, which }) },
  { weight: 1, arbitrary: which.map((orphan) => ({ orphan })) },
  { weight: 2, arbitrary: which.map((ready) => ({ ready })) },
  {
    weight: 1,
    arbitrary: fc.boolean().map((patient) => ({
      request: { type: 'shutdown', status: 0, patient, why: { is: 'signal', signal: 'SIGINT' } } as const,
    })),
  },
);
const counts = fc.dictionary(tag, fc.nat(3), { minKeys: 1 });

function make(machine: Machine, next: Move): void {
  const one = (index: number) => machine.alive[index % Math.max(1, machine.alive.length)];
  if ('scale' in next) {
    const { [next.scale[0]]: _, ...others } = machine.counts;
    machine.scale(next.scale[1] === undefined ? others : { ...others, [next.scale[0]]: next.scale[1] });
  } else if ('request' in next) machine.request(next.request);
  else if ('change' in next) machine.supervisor.changed(next.change, 'file', 1);
  else if ('access' in next) {
    if (machine.counts[next.access] === undefined) return;
    machine.ask([next.access]);
    machine.supervisor.wake(next.access).catch(() => {});
  } else if ('exit' in next) {
    const life = one(next.which);
    if (life) machine.exit(life, next.exit);
  } else if ('orphan' in next) one(next.orphan)?.listener.orphaned({ exit: { how: 'code', code: 0 }, processes: 1 });
  else if ('ready' in next) {
    const life = one(next.ready);
    if (life) machine.supervisor.ready({ id: life.spec.id, generation: life.generation });
  }
}

describe('a run, whatever happens', () => {
  test('gives no life the name of another, shows what runs, and ends when all of it has ended', async () => {
    await fc.assert(
      fc.asyncProperty(counts, fc.array(move, { maxLength: 60, size: 'max' }), async (first, moves) => {
        const machine = new Machine(first);
        for (const next of moves) {
          if (machine.status !== undefined) break;
          make(machine, next);
          await machine.pass('wait' in next ? next.wait : 0);
          machine.assertShown();
        }
        const shutdown: Request = {
          type: 'shutdown',
          status: 7,
          patient: false,
          why: { is: 'signal', signal: 'SIGINT' },
        };
        for (let n = 0; n < 2; n += 1) {
          machine.supervisor.request(shutdown);
          await machine.pass(gestureLasts);
        }
        // Nothing reacts to a signal, and everything is in uninterruptible sleep.
        for (let n = 0; n < tags.length; n += 1) await machine.pass(patience + 1_000);
        expect(machine.status).toBeDefined();
        expect(machine.alive).toEqual([]);
        expect(machine.clock.waiting).toBe(0);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 150) },
    );
  }, 300_000);
});
