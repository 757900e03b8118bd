/** The values of `ready`: how a service shows that it is ready. */
import * as z from 'zod';
import type { Ready } from '../model.js';
import { duration } from './duration-schema.js';

const path = 'must be a path such as /health';
const command = 'must be a command such as pg_isready';

const shape = {
  tcp: z.literal(true, 'must be true').exactOptional().describe('Its program accepts connections.'),
  http: z
    .string(path)
    .startsWith('/', path)
    .exactOptional()
    .describe('A GET of this path is answered with 200 to 399.'),
  log: z
    .string('must be a regular expression')
    .refine(isPattern, 'must be a regular expression')
    .exactOptional()
    .describe('It has printed a line that matches this regular expression.'),
  command: z
    .string(command)
    .regex(/^[^\0]*[^\s\0][^\0]*$/, command)
    .exactOptional()
    .describe('This command, which is run again and again in its directory and environment, exits with 0.'),
  timeout: duration(Infinity).exactOptional().describe('How long it may take: 20s. The default is 30s, 0 is for ever.'),
};

export const readyKeys = Object.keys(shape);

export function readiness() {
  const one = 'must have one of tcp: true, http: /path, log: "expression", command: "program"';
  return z.strictObject(shape, one).transform(({ timeout = 30_000, ...shown }, context): Ready => {
    if (Object.keys(shown).length === 1) {
      if (shown.tcp) return { kind: 'tcp', timeout };
      if (shown.http !== undefined) return { kind: 'http', path: shown.http, timeout };
      if (shown.log !== undefined) return { kind: 'log', pattern: shown.log, timeout };
      if (shown.command !== undefined) return { kind: 'command', command: shown.command, timeout };
    }
    context.addIssue({ code: 'custom', message: one });
    return z.NEVER;
  });
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false; // SyntaxError: that is the question
  }
}
