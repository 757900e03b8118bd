/** Braces in patterns of files, as shells expand them: `{a,b}` is either. Pure. */

/** The patterns that one with braces stands for; the pattern itself when it has none that are whole and have a comma. */
export function expandBraces(pattern: string): readonly string[] {
  const open = pattern.indexOf('{');
  if (open < 0) return [pattern];
  const [before, inside, after] = split(pattern, open);
  if (inside === undefined) return [pattern];
  const choices = splitOutsideBraces(inside);
  const rest = expandBraces(after);
  if (choices.length < 2) return rest.map((end) => `${before}{${inside}}${end}`);
  return choices.flatMap(expandBraces).flatMap((choice) => rest.map((end) => `${before}${choice}${end}`));
}

/** The parts between commas that are in no braces. */
export function splitOutsideBraces(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const each of text) {
    if (each === '{') depth += 1;
    else if (each === '}') depth -= 1;
    if (each === ',' && depth <= 0) parts.push('');
    else parts[parts.length - 1] += each;
  }
  return parts;
}

/** What is before, inside and behind the braces that open there; nothing is inside of some that are not closed. */
function split(text: string, open: number): readonly [string, string | undefined, string] {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return [text.slice(0, open), text.slice(open + 1, at), text.slice(at + 1)];
  }
  return [text, undefined, ''];
}
