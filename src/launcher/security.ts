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

/** By which the page is asked for on this machine. */
export const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `allowed`: further names that this machine is known by. */
export function addressed(host: string | undefined, allowed: readonly string[]): Addressed {
  const [, given = '', port = '0'] = /^(.*?)(?::(\d*))?$/.exec((host ?? '').toLowerCase()) ?? [];
  if (Number(port) > 65_535) return { is: 'stranger' };
  const name = given.replace(/\.$/, '');
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
  const own = `http://${header('host')}`;
  const origin = header('origin');
  if (origin !== undefined && origin !== own) return true;
  const site = header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Under a plain name that was allowed, browsers say no more than this.
  const referer = header('referer');
  return referer !== undefined && !(URL.canParse(referer) && URL.canParse(own) && isSameOrigin(referer, own));
}

function isSameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

/** Every browser calls itself that, and no page can make its browser call itself something else. */
const browserName = 'Mozilla/';

/** Whether a browser asks, for whatever page or person; programs that are none send nothing of the kind. */
export function isBrowser(header: HeaderOf): boolean {
  const isTelling = header('sec-fetch-site') !== undefined || header('origin') !== undefined;
  return isTelling || (header('user-agent') ?? '').startsWith(browserName);
}

/** The one browser that asks the resolver for names under `localhost`, which knows none. */
export function isSafari(header: HeaderOf): boolean {
  return /^Mozilla\/(?!.*Chrom(?:e|ium)\/).* Version\/.* Safari\//.test(header('user-agent') ?? '');
}

/**
 * Whether a request may start a service: at once; after a click on our own page; or not, for an image, a frame or a
 * script of another page, and for a browser that loads what nobody has gone to yet.
 *
 * A browser says the same of an address that somebody typed and of one that a page of somebody else redirected it to
 * after that: `Sec-Fetch-Site: none`, no Referer, and each cookie, SameSite=Strict included. So only our own page is
 * believed, and who holds a link with the launcher's own key.
 */
export function mayStart(header: HeaderOf, hasKey = false): 'yes' | 'ask' | 'no' {
  if (/prefetch|prerender/.test(`${header('sec-purpose')} ${header('purpose')}`)) return 'no';
  if (hasKey) return 'yes';
  if (!isBrowser(header)) return isForeign(header) ? 'no' : 'yes';
  if (isOwnPage(header)) return 'yes';
  return isNavigation(header) ? 'ask' : 'no';
}

/** Whether a page of the very origin asks. One that browsers tell less of is known by its Origin alone. */
function isOwnPage(header: HeaderOf): boolean {
  return !isForeign(header) && (header('sec-fetch-site') ?? (header('origin') && 'same-origin')) === 'same-origin';
}

/** Whether a person will see the answer, as a page. Browsers that do not say so ask for HTML before all else. */
function isNavigation(header: HeaderOf): boolean {
  const mode = header('sec-fetch-mode');
  if (mode === undefined) return (header('accept') ?? '').startsWith('text/html');
  return mode === 'navigate' && header('sec-fetch-dest') === 'document';
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
