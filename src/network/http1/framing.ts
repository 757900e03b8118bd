/** How long the messages of HTTP/1 are, by their heads: RFC 9112, section 6. Pure. */
import type { Framing, Head } from './message-reader.js';

/** What has to be known of a request to read its answer. */
export interface Request {
  /** An answer to HEAD has no body, whatever its head says. */
  readonly isHead: boolean;
  readonly isConnect: boolean;
  /** It offers to speak something else from here on. */
  readonly isUpgrade: boolean;
}

export type AnswerKind = 'interim' | 'final' | 'channel';

/** The fields that decide; each direction uses its own. */
export const fieldsThatFrame: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'upgrade']);

const requestLine = /^[A-Z][A-Z-]* \S+ HTTP\/1\.[01]$/;
const statusLine = /^HTTP\/1\.[01] [1-9]\d\d( |$)/;

export const isRequestLine = (line: string) => requestLine.test(line);
export const isStatusLine = (line: string) => statusLine.test(line);

/** Nearly every request: one object for all of them. */
const plain: Request = { isHead: false, isConnect: false, isUpgrade: false };

export function requestOf({ startLine, fields }: Head): Request {
  const isHead = startLine.startsWith('HEAD ');
  const isConnect = startLine.startsWith('CONNECT ');
  const isUpgrade = fields.some(({ name }) => name === 'upgrade');
  return isHead || isConnect || isUpgrade ? { isHead, isConnect, isUpgrade } : plain;
}

export function framingOfRequest(head: Head): Framing {
  const coded = framingBy(head);
  // A request is over after its head, unless that says otherwise, and never lasts until the connection ends.
  if (coded === undefined) return 0;
  return coded === 'until-end' ? 'unreadable' : coded;
}

/** Of a line that `isStatusLine`. */
export function statusOf({ startLine }: Head): number {
  return Number(startLine.slice(9, 12));
}

export function kindOfAnswer(status: number, request: Request): AnswerKind {
  if (status === 101 || (request.isConnect && status >= 200 && status < 300)) return 'channel';
  return status < 200 ? 'interim' : 'final';
}

/** How long the body of a final answer is. */
export function framingOfAnswer(head: Head, status: number, request: Request): Framing {
  if (request.isHead || status === 204 || status === 304) return 0;
  return framingBy(head) ?? 'until-end';
}

/** Undefined when the head says nothing of a length. */
function framingBy({ startLine, fields }: Head): Framing | undefined {
  let length: string | undefined;
  let codings: string | undefined;
  for (const { name, value } of fields) {
    if (name === 'content-length') {
      if ((length !== undefined && length !== value) || !/^\d{1,15}$/.test(value)) return 'unreadable';
      length = value;
    } else if (name === 'transfer-encoding') codings = codings === undefined ? value : `${codings}, ${value}`;
  }
  if (codings === undefined) return length === undefined ? undefined : Number(length);
  // Both, or a coding in HTTP/1.0: programs differ in which of them they believe.
  if (length !== undefined || startLine.includes('HTTP/1.0')) return 'unreadable';
  const last = codings.slice(codings.lastIndexOf(',') + 1);
  return last.trim().toLowerCase() === 'chunked' ? 'chunked' : 'until-end';
}
