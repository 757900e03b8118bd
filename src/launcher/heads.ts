/**
 * What goes on of the head of a request or an answer, as names and values in turn, in the order and the letters in which
 * they came. Pure. What is about one connection alone (RFC 9110, 7.6.1) ends here; how a body is delimited is kept.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** A name, its value, the next name: as Node keeps heads raw. */
export type Fields = readonly string[];

export interface Asked {
  readonly method?: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: Fields;
}

export interface Answered {
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: Fields;
}

const ofOneConnection: readonly string[] = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** No `Connection` header takes these away: without them the message is another one. */
const indispensable: readonly string[] = ['content-length', 'host'];

/** Node would begin a body of its own for a request of any other method that has none. */
const usuallyWithoutBody: readonly string[] = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

/** What a proxy before us says of its client. Only programs of this machine are believed: a tunnel, a proxy that speaks TLS. */
const forwarded: readonly string[] = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
];

export function hasBody({ headers }: Pick<Asked, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Of a request to a service. `client`: the address that it came from. */
export function fieldsToService(request: Asked, client: string | undefined): string[] {
  const { headers, rawHeaders, method = 'GET' } = request;
  const coding = headers['transfer-encoding'];
  const isBehindProxy = client !== undefined && isLoopback(client);
  const own = isBehindProxy ? [] : forwarded;
  const fields = passing(rawHeaders, headers, ['host', ...own, ...(coding === undefined ? [] : ['content-length'])]);
  const host = headers.host ?? '';
  const add = (name: string, value: string | undefined) => value !== undefined && fields.push(name, value);
  const isSaid = (name: string) => isBehindProxy && headers[name.toLowerCase()] !== undefined;
  const addNew = (name: string, value: string | undefined) => isSaid(name) || add(name, value);
  fields.unshift('Host', host);
  addNew('X-Forwarded-For', client);
  addNew('X-Forwarded-Host', host);
  addNew('X-Forwarded-Port', /:(\d+)$/.exec(host)?.[1] ?? '80');
  addNew('X-Forwarded-Proto', 'http');
  add('Transfer-Encoding', coding);
  if (coding !== undefined) add('Trailer', one(headers['trailer']));
  if (/\btrailers\b/i.test(one(headers['te']) ?? '')) add('TE', 'trailers');
  const isBodyMeant = usuallyWithoutBody.includes(method) || coding !== undefined;
  if (!isBodyMeant && headers['content-length'] === undefined) add('Content-Length', '0');
  return fields;
}

/** The path of a request, for a service: programs that take us for a forward proxy name the host there, too. */
export function pathToService(url = '/'): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === '*' || path.startsWith('/') ? path : `/${path}`;
}

/** Of an answer to whoever asked. */
export function fieldsToClient(answer: Answered, { method, httpVersion }: Asked): string[] {
  const { headers, rawHeaders, statusCode } = answer;
  const isBodiless = method === 'HEAD' || statusCode === 204 || statusCode === 304;
  const coding = headers['transfer-encoding'];
  const isLengthless = statusCode === 204 || coding !== undefined;
  const fields = passing(rawHeaders, headers, isLengthless ? ['content-length'] : []);
  if (isBodiless || coding === undefined || httpVersion === '1.0') return fields;
  fields.push('Transfer-Encoding', coding);
  if (!/\bchunked\s*$/i.test(coding)) return [...fields, 'Connection', 'close'];
  const trailer = one(headers['trailer']);
  return trailer === undefined ? fields : [...fields, 'Trailer', trailer];
}

/** Of an exchange that becomes another protocol, in either direction: what both sides agree on. */
export function fieldsOfUpgrade(fields: Fields, headers: IncomingHttpHeaders): string[] {
  return [...fields, 'Connection', 'Upgrade', 'Upgrade', one(headers.upgrade) ?? ''];
}

/** Of the end of a chunked body, as pairs. What says where a message ends or whose it is cannot come that late. */
export function trailersFrom(rawTrailers: Fields): [string, string][] {
  const isLate = (name: string) => !ofOneConnection.includes(name) && !indispensable.includes(name);
  return pairsOf(rawTrailers).filter(
    ([name, value]) => isLate(name.toLowerCase()) && isToken(name) && isFieldValue(value),
  );
}

/** Why an answer cannot be passed on: what Node reads is more than it writes. */
export function defectOf(answer: Answered): string | undefined {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  if (statusCode < 200 || statusCode > 999)
    return `it answered with the status ${statusCode}, which HTTP does not have`;
  if (!isFieldValue(statusMessage)) return 'the text after its status has characters that HTTP does not allow';
  const wrong = pairsOf(rawHeaders).find(([name, value]) => !isToken(name) || !isFieldValue(value));
  return wrong && `its header ${JSON.stringify(wrong[0])} has characters that HTTP does not allow`;
}

/**
 * The head of a request without its offer to change the protocol, as bytes: whoever makes one must take an answer in
 * HTTP/1.1, too (RFC 9110, 7.8).
 */
export function withoutOffer({
  method,
  url,
  httpVersion,
  rawHeaders,
}: Asked & { readonly url?: string | undefined }): Buffer {
  const rest = pairsOf(rawHeaders).flatMap(([name, value]): [string, string][] => {
    const lower = name.toLowerCase();
    if (lower === 'upgrade' || lower === 'http2-settings') return [];
    if (lower !== 'connection') return [[name, value]];
    const kept = wordsOf(value).filter((word) => word !== 'upgrade' && word !== 'http2-settings');
    return kept.length === 0 ? [] : [[name, kept.join(', ')]];
  });
  return headAsBytes(`${method} ${url} HTTP/${httpVersion}`, rest.flat());
}

/** A head as it is sent, with the empty line. */
export function headAsBytes(firstLine: string, fields: Fields): Buffer {
  const lines = pairsOf(fields).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from([firstLine, ...lines, '', ''].join('\r\n'), 'latin1');
}

/** What is not about one connection alone. */
function passing(fields: Fields, headers: IncomingHttpHeaders, without: readonly string[]): string[] {
  const named = wordsOf(headers.connection ?? '').filter((word) => !indispensable.includes(word));
  const dropped = new Set([...ofOneConnection, ...named, ...without]);
  return pairsOf(fields)
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .flat();
}

/**
 * How many fields have that name, given in lower case. Not by Node's `headersDistinct`, which throws for a field that
 * is called `__proto__` in some versions of Node 20.
 */
export function countOf(name: string, fields: Fields): number {
  return pairsOf(fields).filter(([each]) => each.toLowerCase() === name).length;
}

function pairsOf(fields: Fields): [string, string][] {
  const pairs: [string, string][] = [];
  for (let n = 0; n + 1 < fields.length; n += 2) pairs.push([fields[n] ?? '', fields[n + 1] ?? '']);
  return pairs;
}

function wordsOf(list: string): string[] {
  return list
    .toLowerCase()
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address);
}

function isToken(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name);
}

function isFieldValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value);
}
