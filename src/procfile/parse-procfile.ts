/**
 * A Procfile's text to entries, pure. Owns the dialect: one `tag: command` per line, `#` comments, blank
 * lines, either line ending, a byte order mark. A command is the shell's business and is kept as written,
 * trailing comments included; there is no line continuation. Refuses to stop at the first mistake.
 */
import type { Entry, Parsed, Problem, Procfile } from '../model.js';
import { quote } from '../quote.js';

/**
 * The entries in the order of their lines, or every problem of the text. A problem has the line it is on,
 * unless the whole file is empty. Never throws.
 */
export function parseProcfile(text: string, path: string): Parsed<Procfile> {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  const firstLines = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = raw.replace(TRAILING_SPACE, '').replace(LEADING_SPACE, '');
    if (content === '' || content.startsWith('#')) continue;
    const read = readLine(content, lines[index - 1]);
    if ('message' in read) {
      problems.push({ path, line, ...read });
      continue;
    }
    const first = firstLines.get(read.tag);
    if (first !== undefined) problems.push({ path, line, ...duplicate(read.tag, first) });
    else {
      firstLines.set(read.tag, line);
      if (read.command === '') problems.push({ path, line, ...emptyCommand(read.tag) });
      else entries.push({ ...read, line });
    }
  }
  if (entries.length === 0 && problems.length === 0) problems.push({ path, ...NO_ENTRIES });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: { path, entries } };
}

type Mistake = Pick<Problem, 'message' | 'hint'>;

const LEADING_SPACE = /^[ \t\r]+/;
const TRAILING_SPACE = /[ \t\r]+$/;
/** `s`, because a command may hold any character but a line feed. */
const LINE = /^([^:]*?)[ \t]*:[ \t]*(.*)$/s;
/** What a service may be called. */
export const TAG = /^[A-Za-z0-9_-]+$/;

const NO_ENTRIES: Mistake = {
  message: 'it defines no services',
  hint: 'write a line for each, such as web: npm start',
};

function readLine(content: string, previous: string | undefined): Omit<Entry, 'line'> | Mistake {
  if (content.includes('\0')) return { message: 'it contains a NUL byte, which no command can hold' };
  const match = LINE.exec(content);
  const [tag = '', command = ''] = match?.slice(1) ?? [];
  if (match !== null && TAG.test(tag)) return { tag, command };
  if (previous?.replace(TRAILING_SPACE, '').endsWith('\\')) {
    return {
      message: `${quote(content)} is not 'tag: command'`,
      hint: 'a backslash does not continue a line here; write the command on one line',
    };
  }
  if (match === null || /\s/.test(tag)) {
    return { message: `${quote(content)} is not 'tag: command'`, hint: 'comments start with #' };
  }
  if (tag === '') return { message: 'there is no tag before the colon', hint: 'write web: and then the command' };
  return { message: `${quote(tag)} is not a tag`, hint: 'a tag is made of letters, digits, - and _' };
}

function emptyCommand(tag: string): Mistake {
  return { message: `${quote(tag)} has no command`, hint: `write it after the colon, or put # before ${tag}` };
}

function duplicate(tag: string, first: number): Mistake {
  return {
    message: `${quote(tag)} is already defined on line ${first}`,
    hint: `rename one, or run several of the same with --formation ${tag}=2`,
  };
}
