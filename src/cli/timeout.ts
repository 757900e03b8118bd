import { parseDuration } from '../duration.js';
import { ProcletError } from '../errors.js';

/** A `--timeout` as milliseconds; 0 asks once. Throws ProcletError for another text. */
export function timeoutOf(text: string): number {
  const timeout = parseDuration(text);
  if (timeout !== undefined) return timeout;
  throw new ProcletError('USAGE', `--timeout: '${text}' is not a duration; write 60s, 5m or 500ms`);
}
