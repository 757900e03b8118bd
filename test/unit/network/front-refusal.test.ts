import { expect, test } from 'vitest';
import { beginsLikeHttp, speechOf } from '../../../src/network/front-refusal.js';

const request = 'GET /a%20path?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n';

test.each([
  [request, 'http'],
  ['M-SEARCH * HTTP/1.1\r\n', 'http'],
  ['OPTIONS * HTTP/1.0\n', 'http'],
  ['GET http://localhost/ HTTP/1.1\r\n', 'http'],
  ['PRI * HTTP/2.0\r\n', 'other'],
  ['GET key\r\n', 'other'],
  ['SET key value\r\n', 'other'],
  ['PING\r\n', 'other'],
  ['get / HTTP/1.1\r\n', 'other'],
  ['EHLO example.com\r\n', 'other'],
  ['*1\r\n', 'other'],
  ['\0\0\0\x08', 'other'],
  ['\x16\x03\x01', 'other'],
  ['\r\n', 'other'],
  ['', 'unclear'],
])('%j is %s', (text, speech) => {
  expect(speechOf(Buffer.from(text, 'latin1'))).toBe(speech);
});

test('a request is not taken for anything else before its first line is complete', () => {
  const line = request.indexOf('\n') + 1;
  for (let length = 0; length < line; length += 1)
    expect(speechOf(Buffer.from(request.slice(0, length)))).toBe('unclear');
  for (let length = line; length < request.length; length += 1) {
    expect(speechOf(Buffer.from(request.slice(0, length)))).toBe('http');
  }
});

test('a request line without an end in sight is known by its beginning', () => {
  expect(beginsLikeHttp(Buffer.from(`GET /${'x'.repeat(5_000)}`))).toBe(true);
  expect(beginsLikeHttp(Buffer.from(`SET ${'x'.repeat(5_000)}`))).toBe(false);
});
