import { describe, expect, test } from 'vitest';
import { addressed, isForeign, isToken, mayStart } from '../../../src/launcher/security.js';

const headers = (all: Record<string, string>) => (name: string) => all[name];

describe('addressed', () => {
  test.each(['localhost', 'localhost:2000', 'LOCALHOST:2000', '127.0.0.1:2000', '[::1]:2000', 'localhost.:2000'])(
    '%s is the page',
    (host) => expect(addressed(host, [])).toEqual({ is: 'page' }),
  );

  test.each([
    ['hoge.localhost:2000', ['hoge']],
    ['psgi.hoge.localhost', ['psgi', 'hoge']],
    ['Psgi.Hoge.localhost', ['psgi', 'hoge']],
  ])('%s is a site', (host, labels) => expect(addressed(host, [])).toEqual({ is: 'site', labels }));

  test.each([
    undefined,
    '',
    'evil.example',
    'evil.example:2000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '0.0.0.0:2000',
    '127.0.0.2',
    'evil.example#.localhost',
    'a b.localhost',
    '.localhost',
    'xlocalhost',
    'localhost:99999',
    'localhost:2000:1',
  ])('%s is a stranger', (host) => expect(addressed(host, [])).toEqual({ is: 'stranger' }));

  test('a name that was allowed is the page', () => {
    expect(addressed('box.lan:2000', ['box.lan'])).toEqual({ is: 'page' });
  });
});

describe('isForeign', () => {
  const host = 'localhost:2000';
  test.each([
    [{ host }, false],
    [{ host, origin: 'http://localhost:2000' }, false],
    [{ host, 'sec-fetch-site': 'none' }, false],
    [{ host, origin: 'http://localhost:2000', 'sec-fetch-site': 'same-origin' }, false],
    [{ host, origin: 'http://localhost:5100' }, true],
    [{ host, origin: 'https://localhost:2000' }, true],
    [{ host, origin: 'null' }, true],
    [{ host, origin: 'http://evil.example' }, true],
    [{ host, 'sec-fetch-site': 'cross-site' }, true],
    [{ host, 'sec-fetch-site': 'same-site' }, true],
  ])('%j: %s', (given, expected) => expect(isForeign(headers(given))).toBe(expected));
});

describe('mayStart', () => {
  const host = 'localhost:2000';
  const from = { host, 'sec-fetch-site': 'cross-site' };
  const person = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const navigation = { ...from, ...person };
  const own = { host, 'sec-fetch-site': 'same-origin' };
  const old = { host: 'box.lan:2000', 'user-agent': 'Mozilla/5.0 (X11)', accept: 'text/html,*/*;q=0.8' };
  test.each([
    ['a program', { host, 'user-agent': 'curl/8.5.0', accept: '*/*' }, 'yes'],
    ['a program of Node', { host, 'user-agent': 'node', 'sec-fetch-mode': 'cors' }, 'yes'],
    ['a link of our own page', { ...own, ...person }, 'yes'],
    ['a script of a page at the same name', { ...own, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 'yes'],
    ['a form of a page at the same name', { ...own, ...person, origin: 'http://localhost:2000' }, 'yes'],
    ['a WebSocket of it', { host, origin: 'http://localhost:2000', 'user-agent': 'Mozilla/5.0' }, 'yes'],
    ['what was typed, or what it redirected to', { host, 'sec-fetch-site': 'none', ...person }, 'ask'],
    ['that with every cookie', { host, 'sec-fetch-site': 'none', ...person, cookie: 'a=1' }, 'ask'],
    [
      'what is loaded while it is typed',
      { host, 'sec-fetch-site': 'none', ...person, 'sec-purpose': 'prefetch;prerender' },
      'no',
    ],
    ['what our own page loads ahead', { ...own, ...person, 'sec-purpose': 'prefetch' }, 'no'],
    ['an image of another page', { ...from, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 'no'],
    ['a frame of another page', { ...navigation, 'sec-fetch-dest': 'iframe' }, 'no'],
    ['a script of another page', { ...from, 'sec-fetch-mode': 'cors' }, 'no'],
    ['a link of another page', navigation, 'ask'],
    ['a redirect that began on our page', { ...navigation, referer: 'http://localhost:2000/' }, 'ask'],
    ['a link of a service of ours', { ...navigation, 'sec-fetch-site': 'same-site' }, 'ask'],
    ['a form of another page', { ...navigation, origin: 'http://evil.example' }, 'ask'],
    ['a page, where browsers say no more', old, 'ask'],
    ['a page that hides where it came from there', { ...old, referer: 'http://box.lan:2000/' }, 'ask'],
    ['an image there', { ...old, accept: 'image/avif,*/*;q=0.8' }, 'no'],
    ['a program that says where it comes from', { host: 'box.lan:2000', referer: 'http://evil.example/' }, 'no'],
  ])('%s: %j is %s', (_, given, expected) => expect(mayStart(headers(given))).toBe(expected));

  test('a link with the key of the launcher starts at once, but not before somebody goes there', () => {
    expect(mayStart(headers({ host, 'sec-fetch-site': 'none', ...person }), true)).toBe('yes');
    expect(mayStart(headers(navigation), true)).toBe('yes');
    expect(mayStart(headers({ ...navigation, 'sec-purpose': 'prefetch' }), true)).toBe('no');
  });
});

test('a token is right only when it is the token', () => {
  expect(isToken('abc', 'abc')).toBe(true);
  for (const wrong of ['', 'ab', 'abcd', undefined, null, ['abc'], 0]) expect(isToken(wrong, 'abc')).toBe(false);
});
