/**
 * Colours: whether there are any, and which service has which. The tones are from the 256-colour cube and
 * of middle brightness, so that each has a contrast of at least 3.8 on black and on white.
 */
import { Chalk } from 'chalk';
import type { Env, Settings } from '../model.js';

export type Paint = (text: string) => string;

/** How a sentence is to be taken: as a fact, as something to look at, as something that went wrong. */
export type Mark = 'plain' | 'warning' | 'failure';

export interface Palette {
  /** The colour of a service, by its position in the Procfile; they repeat after the last. */
  service(position: number): Paint;
  /** The neutral colour of proclet's own name. */
  readonly own: Paint;
  readonly marks: Readonly<Record<Mark, Paint>>;
}

interface Circumstances {
  readonly setting: Settings['color'];
  readonly env: Env;
}

/** Codes of the tones, neighbours as different as may be; red and orange are kept for the marks. */
export const tones = [31, 164, 64, 98, 100, 162, 28, 27, 131, 30, 133, 62] as const;
export const ownTone = 243;
export const markTones = { warning: 166, failure: 196 } as const;

export function createPalette(color: boolean): Palette {
  const chalk = new Chalk({ level: color ? 2 : 0 });
  const paints = tones.map((tone): Paint => chalk.ansi256(tone));
  const plain: Paint = (text) => text;
  return {
    service: (position) => paints[position % paints.length] ?? plain,
    own: chalk.ansi256(ownTone),
    marks: { plain, warning: chalk.ansi256(markTones.warning), failure: chalk.bold.ansi256(markTones.failure) },
  };
}

/** Whether to colour: the setting decides, then NO_COLOR, then FORCE_COLOR, then what the output is. */
export function wantsColor({ setting, env, isTTY }: Circumstances & { readonly isTTY: boolean }): boolean {
  if (setting !== 'auto') return setting === 'always';
  if (refusesColor(env)) return false;
  if (isGiven(env['FORCE_COLOR'])) return true;
  return isTTY && env['TERM'] !== 'dumb';
}

/**
 * What becomes of the colours that services print when proclet prints none: stripped when a person asked
 * for no colour, passed on when it is only that nobody asked.
 */
export function childColor({ setting, env }: Circumstances): 'pass' | 'strip' {
  const refused = setting === 'never' || (setting === 'auto' && refusesColor(env));
  return refused ? 'strip' : 'pass';
}

function refusesColor(env: Env): boolean {
  return isGiven(env['NO_COLOR']) || env['FORCE_COLOR'] === '0' || env['FORCE_COLOR'] === 'false';
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
