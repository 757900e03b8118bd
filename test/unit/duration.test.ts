import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/duration.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('parseDuration', () => {
  test.each([
    ['30m', 30 * minute],
    ['1h30m', 90 * minute],
    ['90s', 90 * second],
    ['500ms', 500],
    ['2d', 2 * day],
    ['30d', 30 * day],
    ['1.5h', 90 * minute],
    ['1d2h3m4s5ms', day + 2 * hour + 3 * minute + 4 * second + 5],
    ['90', 90 * second],
    ['0.5', 500],
    ['0', 0],
    ['0s', 0],
    [' 5s ', 5 * second],
    ['007', 7 * second],
    ['0.0001s', 1],
    ['0.3s', 300],
  ])('%j is %d ms', (text, millis) => {
    expect(parseDuration(text)).toBe(millis);
  });

  test.each([
    [''],
    ['  '],
    ['-5'],
    ['-5s'],
    ['+5'],
    ['5x'],
    ['m'],
    ['5 m'],
    ['5M'],
    ['30m1h'],
    ['1h1h'],
    ['1h 30m'],
    ['1,5h'],
    ['.5s'],
    ['5.'],
    ['1e3'],
    ['0x10'],
    ['Infinity'],
    ['NaN'],
    ['999999999999999999d'],
    [`5s\n6s`],
  ])('%j is not a duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [-5, '0s'],
    [0.2, '0s'],
    [1, '1ms'],
    [37, '37ms'],
    [99, '99ms'],
    [250, '250ms'],
    [300, '300ms'],
    [412, '0.4s'],
    [951, '1s'],
    [999, '1s'],
    [1000, '1s'],
    [1500, '1.5s'],
    [2000, '2s'],
    [9960, '10s'],
    [12_000, '12s'],
    [12_400, '12s'],
    [59_499, '59s'],
    [59_600, '1m'],
    [60_000, '1m'],
    [90_000, '1m30s'],
    [119_700, '2m'],
    [30 * minute, '30m'],
    [hour - 300, '1h'],
    [90 * minute, '1h30m'],
    [90 * minute + 29 * second, '1h30m'],
    [2 * hour - second, '2h'],
    [day - second, '1d'],
    [2 * day, '2d'],
    [2 * day + 3 * hour + 59 * minute, '2d4h'],
    [365 * day, '365d'],
    [Infinity, 'for ever'],
  ])('%d ms is %s', (millis, text) => {
    expect(formatDuration(millis)).toBe(text);
  });
});
