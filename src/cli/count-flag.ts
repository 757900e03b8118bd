import { ProcletError } from '../errors.js';

/** The number of a flag such as `--lines 20`. Throws ProcletError for another text. */
export function countOf(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ProcletError('USAGE', `${flag}: '${text}' is not a number; write ${flag} 20`);
}
