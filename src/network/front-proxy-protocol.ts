/**
 * The PROXY protocol's binary header (haproxy, proxy-protocol.txt, 2.2): tells a service who its client is. Sent
 * before the first byte of the client. Without TLVs.
 */
import net, { type Socket } from 'node:net';
import type { Address } from '../model.js';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Version 2, command PROXY. */
const command = 0x21;
/** Address family in the upper half, STREAM (1) in the lower. */
const families = { unspecified: 0x00, inet: 0x11, inet6: 0x21, unix: 0x31 } as const;
const unixLength = 108;

export interface Endpoints {
  readonly source: Address;
  readonly destination: Address;
}

/** Both ends of a client's connection; undefined when it is gone already. */
export function endpointsOf(client: Socket, listening: Address): Endpoints | undefined {
  // A client's socket has no name: it is not bound to a path.
  if ('path' in listening) return { source: { path: '' }, destination: listening };
  const { remoteAddress, remotePort, localAddress, localPort } = client;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return {
    source: { host: plain(remoteAddress), port: remotePort },
    destination: { host: plain(localAddress), port: localPort },
  };
}

/** Undefined endpoints, or two of different kinds, are sent as unspecified: the service then uses the real ones. */
export function proxyHeader(endpoints: Endpoints | undefined): Buffer {
  if (endpoints === undefined) return header(families.unspecified, []);
  const { source, destination } = endpoints;
  if ('path' in source || 'path' in destination) {
    return 'path' in source && 'path' in destination
      ? header(families.unix, [pathBytes(source.path), pathBytes(destination.path)])
      : header(families.unspecified, []);
  }
  const family = net.isIP(source.host);
  if (family === 0 || family !== net.isIP(destination.host)) return header(families.unspecified, []);
  const addresses = [addressBytes(source.host), addressBytes(destination.host)];
  const ports = [portBytes(source.port), portBytes(destination.port)];
  return header(family === 4 ? families.inet : families.inet6, [...addresses, ...ports]);
}

function header(family: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([signature, Buffer.from([command, family]), portBytes(body.length), body]);
}

/** Two bytes, network order. */
function portBytes(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function pathBytes(path: string): Buffer {
  const bytes = Buffer.alloc(unixLength);
  bytes.write(path, 'utf8');
  return bytes;
}

/** An IPv4 client of a socket that listens on both families. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

function addressBytes(address: string): Buffer {
  if (net.isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [text = ''] = address.split('%'); // fe80::1%eth0
  const [head = '', tail] = text.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const bytes = Buffer.alloc(16);
  front.forEach((group, index) => {
    bytes.writeUInt16BE(group, 2 * index);
  });
  back.forEach((group, index) => {
    bytes.writeUInt16BE(group, 16 - 2 * (back.length - index));
  });
  return bytes;
}

/** The 16-bit groups of one side of `::`; a dotted quad at its end is two of them. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
