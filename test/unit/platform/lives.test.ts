import { describe, expect, test } from 'vitest';
import { type GuardedLife, guardLife, lifeOf, wordOf } from '../../../src/platform/lives.js';
import { instanceSpec } from '../../support/plans.js';

const life: GuardedLife = {
  ...{ pid: 70, started: 'Fri Nov 27, 09:00', mark: '123456789010001', ownsGroup: true },
  ...{ cgroup: '/a, b', pipes: ['1:2', '1:3'], terms: { signal: 'SIGINT', to: 'leader', grace: 1_500 } },
};

test.each<[string, GuardedLife]>([
  ['with all that is known', life],
  ['in a terminal', { ...life, inside: { pid: 71, started: 'later' } }],
  ['without a group, and no pipes', { ...life, ownsGroup: false, cgroup: '', pipes: [] }],
])('a life %s is one word for the shell, and the same life again', (_, each) => {
  expect(wordOf(each)).not.toContain(' ');
  expect(lifeOf(wordOf(each))).toEqual(each);
});

describe('a guardian', () => {
  function guarding() {
    const told: (GuardedLife | number)[] = [];
    const guardian = { born: (born: GuardedLife) => void told.push(born), ended: (pid: number) => void told.push(pid) };
    const { terms: _, ...known } = life;
    const spec = instanceSpec({ stopSignal: 'SIGQUIT', stop: 'tree', grace: 10 });
    return { told, spec, guard: guardLife(guardian, spec, known) };
  }

  test('learns how a life is to be ended from its service, and then only what is new', () => {
    const { told, guard } = guarding();
    expect(told).toEqual([{ ...life, terms: { signal: 'SIGQUIT', to: 'tree', grace: 10 } }]);
    guard.learn({ terms: { signal: 'SIGQUIT', to: 'tree', grace: 10 } });
    expect(told).toHaveLength(1);
    guard.learn({ terms: { signal: 'SIGQUIT', to: 'nobody', grace: 10 } });
    guard.learn({ inside: { pid: 71, started: 'later' } });
    expect(told.at(-1)).toMatchObject({ inside: { pid: 71 }, terms: { to: 'nobody' } });
  });

  test('learns nothing more of a life that is over', () => {
    const { told, guard } = guarding();
    guard.end();
    guard.learn({ terms: { signal: 'SIGQUIT', to: 'nobody', grace: 10 } });
    expect(told).toEqual([expect.anything(), 70]);
  });
});
