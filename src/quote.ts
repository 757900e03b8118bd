/**
 * Other people's text inside our sentences. Owns how much of it is shown and how: in single quotes, on one
 * line, and not more than a reader needs to find it again.
 */

const LONGEST = 40;

/** `'text'`, control characters made visible, and the rest of a long text replaced by `…`. */
export function quote(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return `'${shown.replace(/[\x00-\x1f\x7f]/g, (control) => JSON.stringify(control).slice(1, -1))}'`;
}
