import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/duration.js';

const sizes = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

describe('durations', () => {
  test('a composite of whole seconds is read exactly', () => {
    const parts = fc.tuple(fc.nat(400), fc.nat(23), fc.nat(59), fc.nat(59));
    fc.assert(
      fc.property(parts, ([d, h, m, s]) => {
        const exact = d * sizes.d + h * sizes.h + m * sizes.m + s * sizes.s;
        expect(parseDuration(`${d}d${h}h${m}m${s}s`)).toBe(exact);
      }),
    );
  });

  test('what is shown is near what it was: within a twentieth, or 50 ms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 * sizes.d }), (millis) => {
        const shown = parseDuration(formatDuration(millis));
        expect(Math.abs((shown ?? Number.NaN) - millis)).toBeLessThanOrEqual(Math.max(50, millis / 20));
      }),
    );
  });

  test('what is shown is shown the same again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 * sizes.d }), (millis) => {
        const shown = formatDuration(millis);
        expect(formatDuration(parseDuration(shown) ?? Number.NaN)).toBe(shown);
      }),
    );
  });

  test('at most two units are shown, each below the next larger one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 * sizes.d }), (millis) => {
        const shown = formatDuration(millis);
        expect(shown).toMatch(
          /^(\d+d([12]?\d)h|\d+d|(1?\d|2[0-3])h([1-5]?\dm)?|[1-5]?\dm([1-5]?\ds)?|[1-5]?\d(\.\d)?s|\d{1,3}ms)$/,
        );
      }),
    );
  });

  test('any text is a duration that is not negative, or none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9dhms. -]*$/)), (text) => {
        const millis = parseDuration(text);
        if (millis === undefined) return;
        expect(Number.isSafeInteger(millis)).toBe(true);
        expect(millis).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
