import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan, ServiceSpec } from '../../src/model.js';
import { compareDoors, type Door } from '../../src/network/door.js';
import { buildPlan } from '../../src/plan/build-plan.js';
import { toSettings } from '../../src/plan/settings.js';
import { parseConfig } from '../../src/procfile/parse-config.js';
import { parseProcfile } from '../../src/procfile/parse-procfile.js';
import { differences } from '../../src/supervisor/differences.js';

/** Everything that decides about what stands at the addresses of a service. */
const anything = fc.record({
  start: fc.constantFrom('always', 'on-access'),
  reload: fc.constantFrom('restart', 'handover', 'shotgun'),
  idle: fc.constantFrom('10m', undefined),
  'proxy-protocol': fc.boolean(),
  port: fc.constantFrom(4000, undefined),
  listen: fc.constantFrom(5000, [5000, '/run/own.sock'], '/run/own.sock', 6000, undefined),
});

/** A program that has its port in mind cannot have two generations side by side. */
const form = anything.filter(({ port, reload }) => port === undefined || reload !== 'handover');

type Form = typeof form extends fc.Arbitrary<infer T> ? T : never;

function taken<T>(parsed: { ok: true; value: T } | { ok: false; problems: unknown }): T {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function planOf(web: Form): Plan {
  return buildPlan({
    ...{ root: '/', dotenv: {}, env: {}, envFiles: {} },
    config: taken(parseConfig(JSON.stringify({ services: { web } }), 'proclet.yml')),
    procfile: taken(parseProcfile('web: run\n', 'Procfile')),
    settings: taken(toSettings([{ port: { text: '5000', origin: '' } }], [])),
  });
}

const placeOf = ({ listen }: ServiceSpec['fronts'][number]) => JSON.stringify(listen);

/** What stands at each address: a front, a socket to inherit, or the program itself. */
function standing({ services: [service] }: Plan): Map<string, string> {
  const [first] = service?.instances ?? [];
  const fronts = service?.fronts ?? [];
  const own = fronts.some(({ hidesPort }) => hidesPort) ? [] : [`{"host":"127.0.0.1","port":${first?.port}}`];
  return new Map([
    ...own.map((place) => [place, 'itself'] as const),
    ...fronts.map((front) => [placeOf(front), front.inherited ? 'socket' : 'front'] as const),
  ]);
}

test('two generations stand side by side only where the same stands at each address of both', () => {
  fc.assert(
    fc.property(form, form, (was, is) => {
      const [before, after] = [planOf(was), planOf(is)];
      const [old, now] = [standing(before), standing(after)];
      const how = differences(before, after).changed.get('web');
      const isOther = [...old].some(([place, what]) => now.has(place) && now.get(place) !== what);
      if (isOther) expect(how).toBe('elsewhere');
      if (was === is || JSON.stringify(was) === JSON.stringify(is)) expect(how).toBeUndefined();
    }),
  );
});

test('what is open at an address that stays is kept, every other one is closed, and each is there once', () => {
  fc.assert(
    fc.property(form, form, fc.boolean(), (was, is, isOpen) => {
      const [before, after] = [planOf(was), planOf(is)];
      const admits = Promise.resolve();
      const doors = compareDoors([], before.services, admits).fresh;
      // What holds the socket does not matter here, only that something does.
      for (const door of doors) if (isOpen) door.listener = {} as NonNullable<Door['listener']>;
      const { kept, fresh, old } = compareDoors(doors, after.services, admits);
      const wanted = after.services.flatMap(({ fronts }) => fronts).map(placeOf);
      const becomes = [...[...kept.values()].map(({ spec }) => spec), ...fresh.map(({ spec }) => spec)].map(placeOf);
      expect(becomes.sort()).toEqual([...wanted].sort());
      expect([...kept.keys(), ...old]).toHaveLength(doors.length);
      if (isOpen) for (const { spec } of old) expect(wanted).not.toContain(placeOf(spec));
    }),
  );
});
