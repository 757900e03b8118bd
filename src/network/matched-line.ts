/** Whether a whole line of a service's output matches a pattern, however the output came in pieces. */
import { stripVTControlCharacters } from 'node:util';
import type { Bytes, Output } from '../model.js';

/** Of a longer line only this much is looked at, in bytes. */
const longest = 16 * 1024;

/** The answer is a function of one stretch of output after another; it remembers the beginnings of unfinished lines. */
export function matchLines(pattern: RegExp): (output: Omit<Output, 'id'>) => boolean {
  // A global or sticky pattern would begin to search where it found something before.
  const plain = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const begun: Record<Output['stream'], Bytes> = { stdout: '', stderr: '' };

  return ({ stream, text, continued, end }) => {
    // What is `open` will be repeated from its start.
    if (end === 'open') return false;
    const before = continued ? begun[stream] : '';
    if (end === 'cut') {
      begun[stream] = (before + text).slice(0, longest);
      return false;
    }
    begun[stream] = '';
    return (before + text).split('\n').some((line, at, lines) => {
      // Behind the last newline there is no line.
      return at < lines.length - 1 && plain.test(readable(line));
    });
  };
}

function readable(line: Bytes): string {
  const bytes = Buffer.from(line.slice(0, longest), 'latin1');
  return stripVTControlCharacters(bytes.toString('utf8')).replace(/\r+$/, '');
}
