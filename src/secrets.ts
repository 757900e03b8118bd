/**
 * What is nobody else's business: which variables hold secrets, in which shapes those are printed, and what a text looks
 * like without them. The one place that decides it: whatever shows a text to others than the user's own terminal (the
 * launcher's pages, streams and errors, the page of a front) shows it through a mask.
 */
import { bare } from './escapes.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** A text without its secrets. */
export type Mask = (text: string) => string;

/** Fewer characters are too common to be hidden wherever they stand. */
const shortest = 4;
const hidden = '••••';

const secretName =
  /KEY|SECRET|TOKEN|PASS|PWD|CREDENTIAL|AUTH|DSN|COOKIE|SALT|PRIVATE|SIGNATURE|(?:^|_)PW(?:$|_)|_URL$|_URI$/i;
/** Names of the system and of proclet that look like one, and hold none. */
const systemName = /^(?:OLD)?PWD$|_SOCK$|^XAUTHORITY$|AUTHOR_|PARALLELISM$/;
const ownName = /^PROCLET_|^PORT$/;
const commonValue = /^(?:true|false|yes|no|on|off|none|null|auto|default|enabled|disabled)$/i;
const path = /^[/~][\w./@+-]*$/;

/**
 * Every shape of every secret in variables. `inherited`: those that proclet was started with; what has the same value there
 * is a secret by its name alone, because the system's own variables look like anything.
 */
export function secretsOf(variables: Variables, inherited: Variables = {}): string[] {
  const found = Object.entries(variables).flatMap(([name, value = '']) => {
    if (ownName.test(name)) return [];
    const isSystem = inherited[name] === value;
    const isSecret = isSystem ? isSystemSecret(name, value) : secretName.test(name) || isRandom(value);
    return [...(isSecret && !commonValue.test(value) ? [value] : []), ...passwordsIn(value)];
  });
  return [...new Set(found.flatMap(shapesOf))];
}

/**
 * Of a file that cannot be read as what it is: whatever stands behind a name, up to the end of its line or as one of several
 * on it, and each line without a name.
 */
export function secretsOfBroken(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const isNamed = /^(?:export\s+|-\s+)?[\w.-]+\s*[=:]/;
  const unnamed = lines.filter((line) => line.length >= 16 && !isNamed.test(line) && !/^[#{}[\]]/.test(line));
  const pairs = [
    ...text.matchAll(/([\w.-]+)[ \t]*[=:][ \t]*([^\r\n]+)/g),
    ...text.matchAll(/([\w.-]+)[ \t]*[=:][ \t]*("[^"\r\n]*"|'[^'\r\n]*'|[^\s,{}'"]+)/g),
  ];
  const named = pairs.flatMap(([, name = '', given = '']) => secretsOf({ [name]: given.replace(/^['"]|['"]$/g, '') }));
  return [...new Set([...unnamed.flatMap(shapesOf), ...named])];
}

function isSystemSecret(name: string, value: string): boolean {
  return secretName.test(name) && !systemName.test(name) && !path.test(value);
}

/** Like none of the words that settings usually have. */
function isRandom(value: string): boolean {
  return value.length >= 16 && /\d/.test(value) && /[A-Za-z]/.test(value) && !/[\s/]/.test(value);
}

/** Of the addresses in a value, and of what such an address says behind its question mark. */
function passwordsIn(value: string): string[] {
  if (!value.includes('://')) return [];
  const users = [...value.matchAll(/:\/\/([^\s/?#]*)@/g)].map(([, user = '']) => user);
  // One that was not encoded ends the address for whoever reads it.
  const odd = URL.canParse(value) ? [] : [...value.matchAll(/:\/\/([^\s@]*:[^\s]*)@/g)].map(([, user = '']) => user);
  const passwords = [...users, ...odd].flatMap((user) => {
    const at = user.indexOf(':');
    if (at >= 0) return [user.slice(at + 1)];
    return isRandom(user) ? [user] : [];
  });
  const asked = [...value.matchAll(/[?&;]([^=&;\s]+)=([^&;#\s]+)/g)].flatMap(([, name = '', given = '']) =>
    secretName.test(name) ? [given] : [],
  );
  return [...passwords, ...asked].flatMap((each) => [each, decoded(each)]).filter((each) => !commonValue.test(each));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a % that begins nothing
  }
}

/** As it may be printed: whole, line by line, encoded for addresses, and in JSON. */
function shapesOf(value: string): string[] {
  const lines = value.includes('\n') ? value.split(/\r?\n/).map((line) => line.trim()) : [];
  const told = lines.filter((line) => line.length >= 8 || /^[\w+/=-]{4,}$/.test(line));
  const encoded = encodeURIComponent(value);
  const lower = encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [value, ...told, encoded, lower, JSON.stringify(value).slice(1, -1)].filter((each) => each.length >= shortest);
}

/** A text that is longer is cut, which its end tells. */
export function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}${cutMark}` : text;
}

export const cutMark = ' … (cut)';

/** Also where escapes stand between the letters. The password of an address is hidden, whoever's it is. */
export function maskOf(secrets: Iterable<string>): Mask {
  const known = createKnown(secrets);
  const hide = (text: string) => withoutPasswords(known.hide(known.withoutBegun(text)));
  return (text) => {
    const masked = hide(text);
    const plain = bare(masked);
    if (plain === masked) return masked;
    // Colours that are lost are less than a secret that is shown.
    const again = hide(plain);
    return again === plain ? masked : again;
  };
}

function withoutPasswords(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/(?<![\w+.-])([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@'"<>]*:)[^\s/?#'"<>]+@/gi, `$1${hidden}@`);
}

/**
 * By the first characters of a text at some place, and then by the lengths of those that begin like that: the time for a
 * text does not grow with the number of secrets.
 */
function createKnown(secrets: Iterable<string>) {
  const byHead = new Map<string, Map<number, Set<string>>>();
  let longest = 0;
  for (const secret of secrets) {
    if (secret.length < shortest) continue;
    longest = Math.max(longest, secret.length);
    const head = secret.slice(0, shortest);
    const lengths = byHead.get(head) ?? new Map<number, Set<string>>();
    byHead.set(head, lengths);
    lengths.set(secret.length, (lengths.get(secret.length) ?? new Set()).add(secret));
  }
  /** How long the longest is that begins at this place; 0 for none. */
  const lengthAt = (text: string, at: number): number => {
    let found = 0;
    for (const [length, set] of byHead.get(text.slice(at, at + shortest)) ?? []) {
      if (length > found && set.has(text.slice(at, at + length))) found = length;
    }
    return found;
  };
  return {
    /** What several cover is hidden from the first to the last. */
    hide(text: string): string {
      let shown = '';
      let start = -1;
      let end = 0;
      for (let at = 0; at <= text.length - shortest; at += 1) {
        const length = lengthAt(text, at);
        if (length === 0) continue;
        if (start < 0 || at > end) {
          if (start >= 0) shown += hidden;
          shown += text.slice(end, at);
          start = at;
        }
        end = Math.max(end, at + length);
      }
      return start < 0 ? text : `${shown}${hidden}${text.slice(end)}`;
    },
    /** Of a text that was cut, the end may be the beginning of one. */
    withoutBegun(text: string): string {
      if (!text.endsWith(cutMark)) return text;
      const body = text.slice(0, -cutMark.length);
      for (let at = Math.max(0, body.length - longest); at <= body.length - shortest; at += 1) {
        const rest = body.slice(at);
        const sets = [...(byHead.get(rest.slice(0, shortest))?.values() ?? [])];
        const isBegun = sets.some((set) => [...set].some((secret) => secret.startsWith(rest)));
        if (isBegun) return `${body.slice(0, at)}${hidden}${cutMark}`;
      }
      return text;
    },
  };
}

/** The secrets of programs that were started, from the environments that they really got. None is forgotten. */
export class KnownSecrets {
  readonly #seen = new Set<string>();
  #all: readonly string[] = [];
  #mask: Mask = maskOf([]);

  /** Another array once there is another one. */
  get all(): readonly string[] {
    return this.#all;
  }

  get mask(): Mask {
    return this.#mask;
  }

  /** `inherited`: as for `secretsOf`. */
  addVariables(variables: Variables, inherited: Variables): void {
    this.add(secretsOf(variables, inherited));
  }

  add(secrets: readonly string[]): void {
    const before = this.#seen.size;
    for (const secret of secrets) this.#seen.add(secret);
    if (this.#seen.size === before) return;
    this.#all = [...this.#seen];
    this.#mask = maskOf(this.#all);
  }
}

const none: readonly string[] = [];

/** Of all runs of a directory together. */
export class SecretsByRoot {
  readonly #known = new Map<string, KnownSecrets>();

  get roots(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Another array once there are more. */
  of(root: string): readonly string[] {
    return this.#known.get(root)?.all ?? none;
  }

  add(root: string, secrets: readonly string[]): void {
    const known = this.#known.get(root) ?? new KnownSecrets();
    this.#known.set(root, known);
    known.add(secrets);
  }
}
