/**
 * Who may ask for what. A page of another site reaches a server on this machine through the browser of whoever visits
 * it: by a name of its own that it points to 127.0.0.1 (so names are checked), and by requests that it cannot read but
 * that would do something (so those need our own page's origin and token, or a person who navigates).
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** What a request's Host names. */
export type Addressed =
  | { readonly is: 'page' }
  /** `psgi.hoge.localhost`: the labels before `localhost`. */
  | { readonly is: 'site'; readonly labels: readonly string[] }
  | { readonly is: 'stranger' };

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `allowed`: further names that this machine is known by. */
export function addressed(host: string | undefined, allowed: readonly string[]): Addressed {
  const name = (host ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (loopbackNames.has(name) || allowed.includes(name)) return { is: 'page' };
  const [, labels] = /^((?:[a-z0-9_-]+\.)+)localhost$/.exec(name) ?? [];
  return labels === undefined ? { is: 'stranger' } : { is: 'site', labels: labels.slice(0, -1).split('.') };
}

export type HeaderOf = (name: string) => string | undefined;

/**
 * Whether a browser says that another page is behind a request (Fetch Metadata; browsers without it send Origin with
 * what may change something). Programs that are no browsers send neither.
 */
export function isForeign(header: HeaderOf): boolean {
  const origin = header('origin');
  if (origin !== undefined && origin !== `http://${header('host')}`) return true;
  const site = header('sec-fetch-site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/**
 * Whether a GET may start a service: at once; after a click on our own page, for a person who comes by a link from
 * elsewhere; or not, for an image, a frame or a script of another page.
 */
export function mayStart(header: HeaderOf, isOurs: (origin: string) => boolean): 'yes' | 'ask' | 'no' {
  if (!isForeign(header)) return 'yes';
  const isPerson = header('sec-fetch-mode') === 'navigate' && header('sec-fetch-dest') === 'document';
  if (!isPerson) return 'no';
  const referer = header('referer');
  return referer !== undefined && URL.canParse(referer) && isOurs(new URL(referer).origin) ? 'yes' : 'ask';
}

/** Takes as long for a wrong token as for the right one. */
export function isToken(given: unknown, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return typeof given === 'string' && timingSafeEqual(hash(given), hash(token));
}

/** No script, style or form target but our own files; nobody may frame the page. */
export const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

export type Mask = (text: string) => string;

/** Makes secrets unreadable in texts. */
export function maskOf(secrets: readonly string[]): Mask {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= 4).sort((a, b) => b.length - a.length);
  if (known.length === 0) return (text) => text;
  const any = new RegExp(known.map((secret) => secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'g');
  return (text) => text.replace(any, '••••');
}

/** The mask of each directory, made anew when its secrets are others. */
export function createMasks(secretsOf: (root: string) => readonly string[]): (root: string) => Mask {
  const made = new Map<string, { readonly secrets: readonly string[]; readonly mask: Mask }>();
  return (root) => {
    const secrets = secretsOf(root);
    const before = made.get(root);
    if (before?.secrets === secrets) return before.mask;
    const mask = maskOf(secrets);
    made.set(root, { secrets, mask });
    return mask;
  };
}
