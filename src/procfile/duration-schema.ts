/** The values of durations, as people write them, in milliseconds. */
import * as z from 'zod';
import { parseDuration } from '../duration.js';

/** `zero`: what 0 stands for. */
export function duration(zero: number) {
  const sentence = 'must be a duration such as 30m, 1h30m, 500ms or 90 (seconds)';
  return z.union([z.number().min(0, sentence), z.string()], sentence).transform((written, context) => {
    const millis = parseDuration(String(written));
    if (millis !== undefined) return millis === 0 ? zero : millis;
    context.addIssue({ code: 'custom', message: sentence });
    return z.NEVER;
  });
}
