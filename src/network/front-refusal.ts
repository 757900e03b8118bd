/** What a client reads when there is no service for it: a page if it speaks HTTP/1, nothing if it does not. */

import type { InstanceId, Tag } from '../model.js';

export interface Refusal {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Of a service that did not start, as everybody on this machine may read it. */
export function failedStart({ tag, error, ids }: FailedStart, { lastWords, mask }: Words): Refusal {
  const reason = error instanceof Error ? error.message : String(error);
  return { title: `${tag} could not be started`, lines: [reason, ...ids.flatMap(lastWords)].map(mask) };
}

interface FailedStart {
  readonly tag: Tag;
  readonly error: unknown;
  /** Its instances. */
  readonly ids: readonly InstanceId[];
}

interface Words {
  /** The last lines that an instance printed. */
  readonly lastWords: (id: InstanceId) => readonly string[];
  /** A text without secrets. */
  readonly mask: (text: string) => string;
}

/** What the first bytes of a client say about its protocol. */
export type Speech = 'http' | 'other' | 'unclear';

/** A request line says HTTP/1 at its end; until then a known beginning keeps the question open. */
export function speechOf(first: Buffer): Speech {
  const text = first.toString('latin1');
  const end = text.indexOf('\n');
  if (end >= 0) return /^[A-Z][A-Z-]* \S+ HTTP\/1\.[01]\r?$/.test(text.slice(0, end)) ? 'http' : 'other';
  return /^[A-Z][A-Z-]*( (\S+( (H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.[01]\r?)?)?)?)?$/.test(text) ||
    text === ''
    ? 'unclear'
    : 'other';
}

/** Whether a request line that is longer than what was read of it is one of HTTP: a method and a path. */
export function beginsLikeHttp(first: Buffer): boolean {
  return /^[A-Z][A-Z-]* (\/|https?:)/.test(first.toString('latin1'));
}

/** A whole HTTP/1 answer. The answer to HEAD has no body. */
export function refusalPage(refusal: Refusal, first: Buffer): string {
  const title = escaped(refusal.title);
  const lines = refusal.lines.map(escaped).join('\n');
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem } pre { overflow: auto }</style>
<h1>${title}</h1>
<pre>${lines}</pre>
</html>
`;
  const head = [
    'HTTP/1.1 502 Bad Gateway',
    'Content-Type: text/html; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  const isHead = first.subarray(0, 5).toString('latin1') === 'HEAD ';
  return `${head.join('\r\n')}\r\n\r\n${isHead ? '' : body}`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
