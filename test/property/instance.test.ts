import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Exit, Instance, Millis } from '../../src/model.js';
import { type Input, newInstance, nextDeadline, patience, step } from '../../src/supervisor/instance.js';
import { instanceSpec } from '../support/plans.js';

/** What the world may do next: a wish, the passing of time, or the end of the child if there is one. */
type Move = { wish: Input } | { wait: Millis } | { exit: Exit } | { orphan: Exit };

const exits: fc.Arbitrary<Exit> = fc.oneof(
  fc.record({ how: fc.constant('code' as const), code: fc.integer({ min: 0, max: 255 }) }),
  fc.constant({ how: 'signal', signal: 'SIGKILL' } as const),
  fc.constant({ how: 'spawn-error', message: 'no' } as const),
);
const causes = fc.constantFrom({ reason: 'requested' }, { reason: 'changed' }, {
  reason: 'ttl',
  window: 5,
} as const) as fc.Arbitrary<{ reason: 'requested' | 'changed' }>;
const wishes: fc.Arbitrary<Input> = fc.oneof(
  fc.constant({ type: 'start' } as const),
  fc.record({ type: fc.constant('stop' as const), cause: causes, patient: fc.boolean() }),
  fc.record({ type: fc.constant('restart' as const), cause: causes }),
  fc.record({ type: fc.constant('kill' as const), cause: causes }),
);
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    wishes.map((wish) => ({ wish })),
    fc.integer({ min: 0, max: 20_000 }).map((wait) => ({ wait })),
    exits.map((exit) => ({ exit })),
    exits.map((orphan) => ({ orphan })),
  ),
  { maxLength: 40 },
);
const specs = fc.record({
  restart: fc.constantFrom('always' as const, 'on-failure' as const, 'never' as const),
  grace: fc.integer({ min: 0, max: 10_000 }),
  settle: fc.integer({ min: 0, max: 3_000 }),
});

/** Plays moves against a pretend operating system, which checks what is asked of it. */
class World {
  now = 0;
  alive = false;
  instance: Instance;
  delays: number[] = [];

  constructor(over: Parameters<typeof instanceSpec>[0]) {
    this.instance = newInstance(instanceSpec(over), 'web.1@1');
  }

  receive(input: Input): void {
    if (input.type === 'exited') this.alive = false;
    const { instance, effects } = step(this.instance, input, this.now);
    this.instance = instance;
    for (const effect of effects) {
      if (effect.type === 'spawn') {
        if (this.alive) throw new Error('two lives');
        this.alive = true;
      } else if (effect.type !== 'tell' && !this.alive) throw new Error(`${effect.type} to the dead`);
      if (effect.type === 'tell' && effect.event.type === 'exited' && effect.event.next.is === 'restart') {
        this.delays.push(effect.event.next.delay);
      }
      if (effect.type === 'abandon') {
        this.receive({
          type: 'exited',
          remains: { exit: { how: 'signal', signal: 'SIGKILL' }, processes: 1, survivors: [] },
        });
      }
    }
  }

  advance(by: Millis): void {
    const until = this.now + by;
    for (let due = nextDeadline(this.instance); due <= until; due = nextDeadline(this.instance)) {
      this.now = Math.max(this.now, due);
      this.receive({ type: 'deadline' });
    }
    this.now = until;
  }

  play(all: readonly Move[]): void {
    for (const move of all) {
      if ('wish' in move) this.receive(move.wish);
      else if ('wait' in move) this.advance(move.wait);
      else if (!this.alive) continue;
      else if ('exit' in move)
        this.receive({ type: 'exited', remains: { exit: move.exit, processes: 1, survivors: [] } });
      else this.receive({ type: 'orphaned', exit: move.orphan, processes: 1 });
    }
  }
}

describe('an instance, whatever happens', () => {
  test('never has two lives, and never signals the dead', () => {
    fc.assert(
      fc.property(specs, moves, (spec, all) => {
        const world = new World(spec);
        world.play(all);
        const { is } = world.instance.phase;
        expect(world.alive).toBe(is === 'starting' || is === 'up' || is === 'stopping');
      }),
      { numRuns: 2_000 },
    );
  });

  test('that is stopped impatiently is down within its grace and the patience with the kernel', () => {
    fc.assert(
      fc.property(specs, moves, (spec, all) => {
        const world = new World(spec);
        world.play(all.filter((move) => !('wish' in move && move.wish.type === 'stop' && move.wish.patient)));
        world.receive({ type: 'stop', cause: { reason: 'requested' }, patient: false });
        world.advance(spec.grace + patience);
        expect(world.alive).toBe(false);
        expect(['down', 'failed']).toContain(world.instance.phase.is);
      }),
      { numRuns: 2_000 },
    );
  });

  test('does nothing at a deadline that has not come', () => {
    fc.assert(
      fc.property(specs, moves, (spec, all) => {
        const world = new World(spec);
        world.play(all);
        const before = world.instance;
        if (nextDeadline(before) > world.now)
          expect(step(before, { type: 'deadline' }, world.now)).toEqual({ instance: before, effects: [] });
      }),
    );
  });

  test('waits longer after each crash, up to the cap, until a long life forgives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1_000, max: 29_000 }), { maxLength: 20 }), (lives) => {
        const world = new World({ restart: 'always', settle: 500 });
        world.receive({ type: 'start' });
        for (const life of lives) {
          world.advance(life);
          world.receive({ type: 'exited', remains: { exit: { how: 'code', code: 1 }, processes: 1, survivors: [] } });
          world.advance(world.delays.at(-1) ?? 0);
        }
        const { first, max } = world.instance.spec.backoff;
        expect(world.delays).toEqual(lives.map((_, n) => Math.min(first * 2 ** n, max)));
      }),
    );
  });
});
