import { expect, test } from 'vitest';
import { proxyHeader } from '../../../src/network/front-proxy-protocol.js';

const between = (source: string, destination: string) =>
  proxyHeader({ source: { host: source, port: 0x1234 }, destination: { host: destination, port: 0x0050 } }).toString(
    'hex',
  );

const signature = '0d0a0d0a000d0a515549540a';

test.each([
  ['192.0.2.1', '203.0.113.9', '2111000cc0000201cb00710912340050'],
  ['2001:db8::7:0:1', 'fe80::1%lo', '2121002420010db8000000000000000700000001fe80000000000000000000000000000112340050'],
  [
    '1:2:3:4:5:6:7:8',
    '::ffff:10.1.2.3',
    '212100240001000200030004000500060007000800000000000000000000ffff0a01020312340050',
  ],
  ['::', '::1', '2121002400000000000000000000000000000000000000000000000000000000000000011234'.concat('0050')],
])('from %s to %s: the bytes of the specification', (source, destination, bytes) => {
  expect(between(source, destination)).toBe(signature + bytes);
});

test.each([
  ['of different families', '192.0.2.1', '::1'],
  ['that are no addresses', 'localhost', 'localhost'],
])('ends %s are sent as unspecified', (_, source, destination) => {
  expect(between(source, destination)).toBe(`${signature}21000000`);
});

test('a client that is gone is sent as unspecified', () => {
  expect(proxyHeader(undefined).toString('hex')).toBe(`${signature}21000000`);
});

test('a path that is too long for the protocol is cut', () => {
  const header = proxyHeader({ source: { path: '' }, destination: { path: 'x'.repeat(300) } });
  expect(header.length).toBe(16 + 216);
  expect(header.subarray(-108).toString()).toBe('x'.repeat(108));
});
