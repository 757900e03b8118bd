import { describe, expect, test } from 'vitest';
import { childColor, createPalette, markTones, ownTone, tones, wantsColor } from '../../../src/observers/palette.js';

describe('whether to colour', () => {
  const tty = { setting: 'auto', env: { TERM: 'xterm' }, isTTY: true } as const;
  const pipe = { ...tty, isTTY: false } as const;

  test.each([
    ['a terminal is coloured', tty, true],
    ['a pipe is not', pipe, false],
    ['a dumb terminal is not', { ...tty, env: { TERM: 'dumb' } }, false],
    ['--color colours a pipe', { ...pipe, setting: 'always' }, true],
    ['--color outranks NO_COLOR', { ...pipe, setting: 'always', env: { NO_COLOR: '1' } }, true],
    ['--no-color outranks FORCE_COLOR', { ...tty, setting: 'never', env: { FORCE_COLOR: '1' } }, false],
    ['NO_COLOR is obeyed', { ...tty, env: { NO_COLOR: '1' } }, false],
    ['an empty NO_COLOR is none', { ...tty, env: { NO_COLOR: '' } }, true],
    ['NO_COLOR outranks FORCE_COLOR', { ...tty, env: { NO_COLOR: '1', FORCE_COLOR: '1' } }, false],
    ['FORCE_COLOR colours a pipe', { ...pipe, env: { FORCE_COLOR: '1' } }, true],
    ['FORCE_COLOR=0 uncolours a terminal', { ...tty, env: { FORCE_COLOR: '0' } }, false],
    ['FORCE_COLOR=false uncolours a terminal', { ...tty, env: { FORCE_COLOR: 'false' } }, false],
    ['an empty FORCE_COLOR is none', { ...pipe, env: { FORCE_COLOR: '' } }, false],
  ] as const)('%s', (_, circumstances, expected) => {
    expect(wantsColor(circumstances)).toBe(expected);
  });

  test.each([
    ['a pipe alone passes the colours of services on', { setting: 'auto', env: {} }, 'pass'],
    ['--no-color strips them', { setting: 'never', env: {} }, 'strip'],
    ['NO_COLOR strips them', { setting: 'auto', env: { NO_COLOR: '1' } }, 'strip'],
    ['FORCE_COLOR=0 strips them', { setting: 'auto', env: { FORCE_COLOR: '0' } }, 'strip'],
    ['--color outranks NO_COLOR', { setting: 'always', env: { NO_COLOR: '1' } }, 'pass'],
  ] as const)('%s', (_, circumstances, expected) => {
    expect(childColor(circumstances)).toBe(expected);
  });
});

describe('the colours of services', () => {
  test('differ, until there are no more, and begin again', () => {
    const { service } = createPalette(true);
    const painted = tones.map((_, position) => service(position)('x'));
    expect(new Set(painted).size).toBe(tones.length);
    expect(service(tones.length)('x')).toBe(service(0)('x'));
  });

  test('are none without colour', () => {
    const { service, own, marks } = createPalette(false);
    expect([service(0)('x'), own('x'), marks.warning('x'), marks.failure('x')]).toEqual(['x', 'x', 'x', 'x']);
  });

  test.each([...tones, ownTone, ...Object.values(markTones)])('tone %i can be read on black and on white', (tone) => {
    const luminance = luminanceOf(tone);
    expect((luminance + 0.05) / 0.05).toBeGreaterThan(3.7);
    expect(1.05 / (luminance + 0.05)).toBeGreaterThan(3.7);
  });
});

/** Relative luminance (WCAG) of a colour of the 6x6x6 cube or the grey ramp. */
function luminanceOf(tone: number): number {
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  const grey = 8 + 10 * (tone - 232);
  const cube = tone - 16;
  const channels =
    tone >= 232 ? [grey, grey, grey] : [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)];
  const [r = 0, g = 0, b = 0] = channels
    .map((channel) => channel / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
