/** What commands print for programs: one JSON value, on standard output, once they have done what was asked. */
import { Flags } from '@oclif/core';

/** `--json`, for the commands that print what people read. */
export const jsonFlag = Flags.boolean({ summary: 'Print JSON for programs.' });

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
