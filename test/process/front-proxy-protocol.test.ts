/** Services that ask for it are told who their client is, before its first byte. */
import { mkdtempSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { client, front, type Peer, service } from '../support/front-peers.js';

const signature = '0d0a0d0a000d0a515549540a';

const hex = (value: number) => value.toString(16).padStart(4, '0');

async function arrivalOf(listen: net.ListenOptions & ({ host: string; port: number } | { path: string })) {
  const upstream = await service((peer) => peer.read());
  const fronted = await front({ listen, target: () => upstream.address, proxyProtocol: true });
  const near = await client(fronted.address);
  near.socket.write('hello');
  const far = await upstream.next();
  await far.hears('hello');
  return { far, near };
}

const portsOf = ({ socket }: Peer) => hex(socket.localPort ?? 0) + hex(socket.remotePort ?? 0);

test('over IPv4: 12 bytes of addresses and ports', async () => {
  const { far, near } = await arrivalOf({ host: '127.0.0.1', port: 0 });
  const wanted = `${signature}2111000c7f0000017f000001${portsOf(near)}`;
  expect(far.heard.toString('hex')).toBe(wanted + Buffer.from('hello').toString('hex'));
});

test('over IPv6: 36 bytes of addresses and ports', async () => {
  const { far, near } = await arrivalOf({ host: '::1', port: 0 });
  const one = '00000000000000000000000000000001';
  const wanted = `${signature}21210024${one}${one}${portsOf(near)}`;
  expect(far.heard.toString('hex')).toBe(wanted + Buffer.from('hello').toString('hex'));
});

test('over a path: 216 bytes of paths, of which the client has none', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-front-'));
  const path = join(directory, 'public.sock');
  const { far } = await arrivalOf({ path });
  const wanted = Buffer.concat([Buffer.from(`${signature}213100d8`, 'hex'), Buffer.alloc(216), Buffer.from('hello')]);
  wanted.write(path, 16 + 108);
  expect(far.heard.equals(wanted)).toBe(true);
  rmSync(directory, { recursive: true });
});

test('a client that says nothing is announced too', async () => {
  const upstream = await service((peer) => peer.read());
  const fronted = await front({ target: () => upstream.address, proxyProtocol: true });
  await client(fronted.address);
  const far = await upstream.next();
  await eventually(() => expect(far.bytes).toBe(28));
});

test('without being asked, nothing is added', async () => {
  const upstream = await service((peer) => peer.read());
  const fronted = await front({ target: () => upstream.address });
  const near = await client(fronted.address);
  near.socket.write('hello');
  const far = await upstream.next();
  expect(await far.hears('hello')).toBe('hello');
});
