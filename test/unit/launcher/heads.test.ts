import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  defectOf,
  type Fields,
  fieldsToClient,
  fieldsToService,
  pathToService,
  trailersFrom,
  withoutOffer,
} from '../../../src/launcher/heads.js';

/** As Node reads it: names in small letters, what is there more than once joined. */
function messageOf(rawHeaders: Fields, over: { method?: string; httpVersion?: string; statusCode?: number } = {}) {
  const headers: Record<string, string> = {};
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]?.toLowerCase() ?? '';
    headers[name] = headers[name] === undefined ? (rawHeaders[n + 1] ?? '') : `${headers[name]}, ${rawHeaders[n + 1]}`;
  }
  return { method: 'GET', httpVersion: '1.1', statusCode: 200, statusMessage: 'OK', headers, rawHeaders, ...over };
}

const namesIn = (fields: Fields) => fields.filter((_, n) => n % 2 === 0).map((name) => name.toLowerCase());
const plain = messageOf([]);

describe('of a request', () => {
  const forwarded = [
    'X-Forwarded-For',
    '::1',
    'X-Forwarded-Host',
    'h:1',
    'X-Forwarded-Port',
    '1',
    'X-Forwarded-Proto',
    'http',
  ];

  test.each<[string, Fields, string, Fields]>([
    [
      'what is of one connection ends here',
      ['Keep-Alive', 'x', 'Upgrade', 'h2c', 'Connection', 'X-A', 'X-A', '1'],
      'GET',
      [],
    ],
    ['a Trailer goes with chunks alone', ['Trailer', 'X', 'Content-Length', '0'], 'GET', ['Content-Length', '0']],
    ['a POST without a body says so', [], 'POST', ['Content-Length', '0']],
    ['a DELETE without a body says nothing', [], 'DELETE', []],
    [
      'Connection takes no length away',
      ['Connection', 'content-length', 'Content-Length', '3'],
      'PUT',
      ['Content-Length', '3'],
    ],
    ['of TE, trailers are understood', ['TE', 'deflate, Trailers;q=0.5'], 'GET', ['TE', 'trailers']],
  ])('%s', (_, raw, method, expected) => {
    const fields = fieldsToService(messageOf(['Host', 'h:1', ...raw], { method }), '::1');
    const rest = fields.filter((text, n) => !forwarded.includes(n % 2 === 0 ? text : (fields[n - 1] ?? '')));
    expect(rest.slice(0, 2)).toEqual(['Host', 'h:1']);
    expect(rest.slice(2)).toEqual(expected);
    expect(namesIn(fields)).toEqual(expect.arrayContaining(namesIn(forwarded)));
  });

  test('whoever was before us has said where it comes from', () => {
    const fields = fieldsToService(messageOf(['Host', 'h', 'X-Forwarded-For', '1.2.3.4']), '::1');
    expect(namesIn(fields).filter((name) => name === 'x-forwarded-for')).toHaveLength(1);
    expect(fields).not.toContain('::1');
  });

  test('what a client of another machine says of where it comes from is replaced', () => {
    const forged = [
      'Forwarded',
      'for=1.2.3.4',
      'X-Forwarded-For',
      '1.2.3.4',
      'x-forwarded-proto',
      'https',
      'X-Real-IP',
      '1.2.3.4',
    ];
    const fields = fieldsToService(messageOf(['Host', 'h:1', ...forged]), '10.0.0.9');
    expect(fields).toEqual(['Host', 'h:1', ...forwarded.map((text) => (text === '::1' ? '10.0.0.9' : text))]);
  });

  test.each([
    ['/a?b', '/a?b'],
    ['http://x.y:1/a', '/a'],
    ['HTTPS://x?b', '/?b'],
    ['*', '*'],
    ['a', '/a'],
    ['//a', '//a'],
    [undefined, '/'],
  ])('the path %s is asked for as %s', (url, path) => expect(pathToService(url)).toBe(path));
});

describe('of an answer', () => {
  const chunked = ['Trailer', 'X', 'Transfer-Encoding', 'chunked'];
  test.each<[string, Fields, object, Fields]>([
    ['trailers go with chunks', chunked, {}, ['Transfer-Encoding', 'chunked', 'Trailer', 'X']],
    ['and not with a length', ['Trailer', 'X', 'Content-Length', '1'], {}, ['Content-Length', '1']],
    ['nor to HTTP/1.0, which has no chunks', chunked, { httpVersion: '1.0' }, []],
    ['nor where there is no body', chunked, { statusCode: 304 }, []],
    ['or none is asked for', chunked, { method: 'HEAD' }, []],
    ['no body has no length', ['Content-Length', '5'], { statusCode: 204 }, []],
    [
      'what only the end ends is ended so',
      ['Transfer-Encoding', 'gzip'],
      {},
      ['Transfer-Encoding', 'gzip', 'Connection', 'close'],
    ],
  ])('%s', (_, raw, over, expected) => {
    expect(fieldsToClient(messageOf(raw, over), messageOf([], over))).toEqual(expected);
  });

  test.each<[RegExp, object]>([
    [/the status 99/, { statusCode: 99 }],
    [/the status 1000/, { statusCode: 1000 }],
    [/the text after its status/, { statusMessage: 'a\rb' }],
    [/its header "a b"/, { rawHeaders: ['a b', ''] }],
    [/its header "x"/, { rawHeaders: ['y', '\xe9', 'x', 'a\x00'] }],
  ])('what cannot be written is told: %s', (why, over) => {
    expect(defectOf({ ...plain, ...over })).toMatch(why);
    expect(defectOf(plain)).toBeUndefined();
  });
});

test('trailers are those that may come late and can be written', () => {
  const raw = ['X-Sum', '1', 'Content-Length', '5', 'transfer-encoding', 'chunked', 'a b', '', 'Y', '\n', 'X-Sum', '2'];
  expect(trailersFrom(raw)).toEqual([
    ['X-Sum', '1'],
    ['X-Sum', '2'],
  ]);
});

test('without its offer a request is what it was', () => {
  const raw = [
    'Host',
    'h',
    'Connection',
    'Upgrade, keep-alive, HTTP2-Settings',
    'upgrade',
    'h2c',
    'HTTP2-Settings',
    'x',
    'X',
    '\xe9',
  ];
  expect(withoutOffer({ ...messageOf(raw), url: '/a' }).toString('latin1')).toBe(
    'GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nX: \xe9\r\n\r\n',
  );
});

test('nothing of one connection ever goes on, whatever it is called', () => {
  const name = fc.constantFrom(
    'Connection',
    'UPGRADE',
    'te',
    'Trailer',
    'Keep-Alive',
    'Host',
    'X',
    'HTTP2-Settings',
    'content-length',
  );
  const value = fc.constantFrom('close', 'x, content-length', 'Host', '5', '', 'chunked', 'trailers');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      const message = messageOf(pairs.flat());
      const toService = namesIn(fieldsToService(message, undefined));
      for (const gone of ['connection', 'upgrade', 'trailer', 'keep-alive', 'http2-settings']) {
        expect([...toService, ...namesIn(fieldsToClient(message, plain))]).not.toContain(gone);
      }
      expect(toService.filter((each) => each === 'host')).toHaveLength(1);
    }),
  );
});
