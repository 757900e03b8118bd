/**
 * A line with the colours of a terminal as pieces: text and how it looks. Knows SGR (ECMA-48, 8.3.117) with 16, 256 and
 * 16 million colours; every other sequence is left out. Makes no HTML.
 */
const base = [
  '#000000',
  '#e5534b',
  '#57ab5a',
  '#c69026',
  '#6cb6ff',
  '#b083f0',
  '#39c5cf',
  '#d1d5da',
  '#8b949e',
  '#ff938a',
  '#6bc46d',
  '#daaa3f',
  '#96d0ff',
  '#dcbdfb',
  '#56d4dd',
  '#ffffff',
];
const sequence = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g;
const controls = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** @returns {{ text: string, color?: string, back?: string, bold?: boolean, faint?: boolean, italic?: boolean, underline?: boolean }[]} */
export function pieces(line) {
  const found = [];
  let look = {};
  let at = 0;
  const add = (text) => {
    const clean = text.replace(controls, '');
    if (clean !== '') found.push({ text: clean, ...shown(look) });
  };
  for (const match of line.matchAll(sequence)) {
    add(line.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === 'm') look = apply(look, match[1] ?? '');
  }
  add(line.slice(at));
  return found;
}

function shown({ inverse, ...look }) {
  return inverse ? { ...look, color: look.back ?? '#101214', back: look.color ?? '#e6e7e8' } : look;
}

function apply(before, text) {
  let look = { ...before };
  const codes = text.split(/[;:]/).map(Number);
  for (let n = 0; n < codes.length; n += 1) {
    const code = codes[n];
    if (code === 0) look = {};
    else if (code === 1) look.bold = true;
    else if (code === 2) look.faint = true;
    else if (code === 3) look.italic = true;
    else if (code === 4) look.underline = true;
    else if (code === 7) look.inverse = true;
    else if (code === 22) look = { ...look, bold: false, faint: false };
    else if (code === 23) delete look.italic;
    else if (code === 24) delete look.underline;
    else if (code === 27) delete look.inverse;
    else if (code === 39) delete look.color;
    else if (code === 49) delete look.back;
    else if (code >= 30 && code <= 37) look.color = base[code - 30];
    else if (code >= 40 && code <= 47) look.back = base[code - 40];
    else if (code >= 90 && code <= 97) look.color = base[code - 82];
    else if (code >= 100 && code <= 107) look.back = base[code - 92];
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes.slice(n + 1));
      if (color !== undefined) look[code === 38 ? 'color' : 'back'] = color;
      n += used;
    }
  }
  return look;
}

function extended([kind, ...rest]) {
  if (kind === 5) return [ofCube(rest[0]), 2];
  if (kind !== 2) return [undefined, 1];
  const [r, g, b] = rest;
  return [[r, g, b].every((part) => part >= 0 && part <= 255) ? `rgb(${r}, ${g}, ${b})` : undefined, 4];
}

function ofCube(n) {
  if (!(n >= 0 && n <= 255)) return undefined;
  if (n < 16) return base[n];
  if (n >= 232)
    return `rgb(${Array(3)
      .fill(8 + 10 * (n - 232))
      .join(', ')})`;
  const part = (step) => (step === 0 ? 0 : 55 + 40 * step);
  const cube = n - 16;
  return `rgb(${part(Math.floor(cube / 36))}, ${part(Math.floor(cube / 6) % 6)}, ${part(cube % 6)})`;
}
