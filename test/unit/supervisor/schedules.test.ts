import { expect, test } from 'vitest';
import { isSchedule, nextTime } from '../../../src/schedule.js';
import { code } from '../../support/fake-children.js';
import { planOf } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

const minute = 60_000;
const everyMinute = { next: (_: string, after: number) => Math.floor(after / minute + 1) * minute };
const report = { every: '* * * * *', restart: 'never' } as const;

test('a schedule is five fields, six with seconds, or a name', () => {
  expect(['*/5 * * * *', '0 12 * * MON', '*/10 * * * * *', '@hourly'].map(isSchedule)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['', 'every day', '61 * * * *', '* * * *', '0 0 30 2 *'].map(isSchedule)).toEqual(Array(5).fill(false));
});

test('its next time is after the one that is given', () => {
  const noon = new Date(2026, 10, 23, 12, 0, 0).getTime();
  expect(nextTime('0 12 * * *', noon - 1)).toBe(noon);
  expect(nextTime('0 12 * * *', noon)).toBe(new Date(2026, 10, 24, 12, 0, 0).getTime());
});

test('a service with a schedule runs at its times and not before', () => {
  const { children, clock, events } = supervised(planOf({ report }), everyMinute);
  expect(children.alive).toEqual([]);
  expect(events).toMatchObject([{ type: 'scheduled', tag: 'report', in: minute }]);
  clock.advance(minute - 1);
  expect(children.alive).toEqual([]);
  clock.advance(1);
  expect(children.alive).toEqual(['report.1']);
});

test('the run goes on between the times, however the last one ended', async () => {
  const { children, clock, status } = supervised(planOf({ report }), everyMinute);
  for (const exit of [code(0), code(1), code(0)]) {
    clock.advance(minute);
    children.exit('report.1', exit);
    expect(await status()).toBeUndefined();
  }
  expect(children.log.filter((line) => line.endsWith('spawn'))).toHaveLength(3);
});

test('a time that comes while it runs is left out, and that is told', () => {
  const { children, clock, types } = supervised(planOf({ report }), everyMinute);
  clock.advance(2 * minute);
  expect(children.log).toEqual(['report.1 spawn']);
  expect(types().filter((type) => type === 'skipped')).toHaveLength(1);
});

test('times that passed while the machine slept are made up for once', () => {
  const { children, clock } = supervised(planOf({ report }), everyMinute);
  clock.advance(10 * minute + 1);
  expect(children.log.filter((line) => line.endsWith('spawn'))).toHaveLength(1);
});

test('its ttl counts from the start of the schedule, and ends it', async () => {
  const { children, clock, status } = supervised(planOf({ report: { ...report, ttl: 2.5 * minute } }), everyMinute);
  for (const _ of [1, 2]) {
    clock.advance(minute);
    children.exit('report.1', code(0));
  }
  clock.advance(minute);
  expect(children.alive).toEqual([]);
  expect(await status()).toBe(0);
});

test('stop ends the schedule, restart begins it again and runs at once', async () => {
  const { children, clock, supervisor } = supervised(planOf({ report, web: {} }), everyMinute);
  supervisor.request({ type: 'stop', targets: ['report'] });
  clock.advance(5 * minute);
  expect(children.alive).toEqual(['web.1']);
  supervisor.request({ type: 'restart', targets: ['report'] });
  expect(children.alive).toContain('report.1');
  children.exit('report.1', code(0));
  clock.advance(minute);
  expect(children.alive).toContain('report.1');
});

test('its end does not end the others under on-exit stop', async () => {
  const { children, clock, status } = supervised(planOf({ report, web: {} }, { onExit: 'stop' }), everyMinute);
  clock.advance(minute);
  children.exit('report.1', code(0));
  expect(children.alive).toEqual(['web.1']);
  expect(await status()).toBeUndefined();
});

test('a snapshot says when it runs next', () => {
  const { clock, supervisor } = supervised(planOf({ report }), everyMinute);
  clock.advance(15_000);
  expect(supervisor.snapshot().services[0]?.nextIn).toBe(45_000);
});
