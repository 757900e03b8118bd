import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignPorts, type PortClaim } from '../../src/plan/assign-ports.js';

const claim = fc.record({
  count: fc.oneof(fc.nat(4), fc.nat(120)),
  fixed: fc.option(fc.integer({ min: 4990, max: 5600 }), { nil: undefined }),
});
const claims = fc
  .array(claim, { maxLength: 12 })
  .map((all) =>
    all.map((each, position): PortClaim => ({ ...each, tag: `t${position}`, position, line: position + 1 })),
  );
const base = fc.oneof(fc.constant(5000), fc.integer({ min: 1, max: 65_535 }));

describe('assignPorts', () => {
  test('gives distinct ports that exist, as many as were asked for', () => {
    fc.assert(
      fc.property(claims, base, (all, from) => {
        const ports = assignPorts(all, from, 'Procfile');
        if (!ports.ok) return;
        const given = [...ports.value.values()].flat();
        expect(new Set(given).size).toBe(given.length);
        expect(given.length).toBe(all.reduce((sum, { count }) => sum + count, 0));
        for (const port of given) expect(port >= 1 && port <= 65_535).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('refuses only what collides, does not fit, or does not exist', () => {
    const modest = claims.map((all) => all.map((each) => ({ ...each, count: each.count % 101, fixed: undefined })));
    fc.assert(
      fc.property(modest, fc.integer({ min: 1, max: 60_000 }), (all, from) => {
        expect(assignPorts(all, from, 'Procfile').ok).toBe(true);
      }),
    );
  });

  test('an appended entry moves no other entry’s port', () => {
    fc.assert(
      fc.property(claims, claim, base, (all, added, from) => {
        const before = assignPorts(all, from, 'Procfile');
        const last = { ...added, tag: 'added', position: all.length, line: all.length + 1 };
        const after = assignPorts([...all, last], from, 'Procfile');
        if (!before.ok || !after.ok) return;
        expect([...after.value].slice(0, all.length)).toEqual([...before.value]);
      }),
    );
  });

  test('leaving services out moves nobody', () => {
    fc.assert(
      fc.property(claims, fc.infiniteStream(fc.boolean()), base, (all, choices, from) => {
        const whole = assignPorts(all, from, 'Procfile');
        const part = assignPorts(
          all.filter(() => choices.next().value),
          from,
          'Procfile',
        );
        if (!whole.ok) return;
        expect(part.ok).toBe(true);
        for (const [tag, ports] of part.ok ? part.value : []) expect(ports).toEqual(whole.value.get(tag));
      }),
    );
  });
});
