/** What services printed, line by line, for those who show it as text. */
import { bare } from '../escapes.js';
import type { ProcletEvent } from '../model.js';
import { cut } from '../secrets.js';

export interface LaunchLine {
  /** Wall time in milliseconds. */
  readonly at: number;
  readonly id: string;
  readonly stream: 'stdout' | 'stderr';
  /** As it was printed, colours included. */
  readonly text: string;
}

/** None for what is no output, and for a line that goes on. */
export function linesOf(event: ProcletEvent): readonly LaunchLine[] {
  if (event.type !== 'output' || event.end === 'open') return [];
  const { at, id, stream } = event;
  const text = Buffer.from(event.end === 'line' ? event.text.slice(0, -1) : event.text, 'latin1').toString('utf8');
  return text.split('\n').map((each) => ({ at, id, stream, text: cut(each, longestText) }));
}

/** A text that is longer is cut. */
const longestText = 8 * 1024;
/** Without anything that a terminal would act on. */
export function plainText(text: string): string {
  return bare(text);
}
