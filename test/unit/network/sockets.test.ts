import { expect, test } from 'vitest';
import { parseAccepted, parseSockets } from '../../../src/network/sockets.js';
import { parseTallies } from '../../../src/network/tallies.js';

/** As Linux 6.18 prints them. */
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:07E8 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 1594 1 000000001d06df9f 100 0 0 10 0                      
   1: 0100007F:1E7A 0100007F:9B9E 01 00000A00:0000000F 01:00000014 00000000  1000        0 501021 2 00000000f5de0b75 20 4 30 10 -1                    
12345: 0100007F:9B9E 0100007F:1E7A 06 00000000:00000000 03:00001499 00000000     0        0 0 3 000000006f1ad611                                      
`;
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:85CD 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1331157 1 0000000069c356ba 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:85CD 0000000000000000FFFF00000100007F:E8DE 01 00000000:00000000 00:00000000 00000000     0        0 1331158 1 0000000069c356bb 20 0 0 10 -1
   2: B80D0120000000000000000001000000:85CD 00000000000000000000000001000000:9C40 08 00000000:00000001 00:00000000 00000000     0        0 0 1 0000000069c356bc 20 0 0 10 -1
`;

test('a row is decoded: its ends, state, queues, holder, and how long a closed one is remembered', () => {
  const row = { family: 4, uid: 0, inode: '0', unsent: 0, unread: 0 };
  expect(parseSockets(tcp)).toEqual([
    {
      ...row,
      local: { address: '0.0.0.0', port: 2024 },
      remote: { address: '0.0.0.0', port: 0 },
      ...{ state: 'listen', inode: '1594', unread: 3 },
    },
    {
      ...row,
      local: { address: '127.0.0.1', port: 7802 },
      remote: { address: '127.0.0.1', port: 39838 },
      ...{ state: 'established', uid: 1000, inode: '501021', unsent: 2560, unread: 15 },
    },
    {
      ...row,
      local: { address: '127.0.0.1', port: 39838 },
      remote: { address: '127.0.0.1', port: 7802 },
      ...{ state: 'time-wait', forgottenIn: 52_730 },
    },
  ]);
});

test('IPv6 addresses are written as people write them, and mapped ones as what they mean', () => {
  expect(parseSockets(tcp6).map(({ local, remote, state }) => [local.address, remote.address, state])).toEqual([
    ['::', '::', 'listen'],
    ['127.0.0.1', '127.0.0.1', 'established'],
    ['2001:db8::1', '::1', 'close-wait'],
  ]);
});

test('both tables can be read as one, and only wanted rows are', () => {
  const rows = parseSockets(tcp + tcp6, (local, remote, state) => state !== 'listen' && [local, remote].includes(7802));
  expect(rows.map(({ local, remote }) => [local.port, remote.port])).toEqual([
    [7802, 39838],
    [39838, 7802],
  ]);
});

test.each(['', '\n', 'sl local', tcp.slice(0, 200), `${tcp.slice(0, 300)}\n`, '  7: garbage:1 2:3 4\n: : : :\n'])(
  'what is torn is not a row: %j',
  (text) => {
    for (const { local } of parseSockets(text)) expect(local).toEqual({ address: '0.0.0.0', port: 2024 });
  },
);

test('the number of accepted connections is found by its name', () => {
  const text = `Ip: Forwarding DefaultTTL\nIp: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails
Tcp: 1 200 120000 -1 164 120 7
Udp: InDatagrams\nUdp: 3\n`;
  expect(parseAccepted(text)).toBe(120);
  expect(parseAccepted('')).toBeUndefined();
});

/** As ss of iproute2 6.1 prints them. */
const info =
  'ESTAB 0      0      [::ffff:127.0.0.1]:34253 [::ffff:127.0.0.1]:59614\n' +
  '\t bbr wscale:10,10 rto:204 rtt:0.078/0.043 mss:32768 cwnd:11 bytes_sent:101 bytes_acked:101 bytes_received:27 segs_out:2 lastsnd:312 lastrcv:316 lastack:312 delivered:2\n' +
  'CLOSE-WAIT 1      0      [2001:db8::1]:34253 [fe80::1%eth0]:40000\n' +
  '\t cubic bytes_acked:1 bytes_received:58 lastsnd:1336 lastrcv:1016 lastack:1016\n' +
  'ESTAB 0      0      127.0.0.1:80 127.0.0.1:41000  \n' +
  '\t cubic wscale:10,10 lastsnd:516 lastrcv:516 lastack:516\n' +
  'ESTAB 0      0      127.0.0.1:80 127.0.0.1:41001\n' +
  '\t cubic bytes_received:5 lastack:3\n';

test('what ss says of a connection is known by its ends, and tells bytes, silence, and who spoke last', () => {
  const local = (port: number) => ({ address: '127.0.0.1', port });
  const expected = {
    '34253<127.0.0.1#59614': { port: 34253, client: local(59614), bytes: 128, quietFor: 312, owes: false },
    '34253<fe80::1#40000': {
      ...{ port: 34253, client: { address: 'fe80::1', port: 40000 } },
      ...{ bytes: 59, quietFor: 1016, owes: true },
    },
    '80<127.0.0.1#41000': { port: 80, client: local(41000), bytes: 0, quietFor: 516, owes: false },
    '80<127.0.0.1#41001': { port: 80, client: local(41001), bytes: 5, quietFor: 0, owes: true },
  };
  expect(Object.fromEntries(parseTallies(info))).toEqual(expected);
  expect(Object.fromEntries(parseTallies(info.replaceAll('\n\t', ' ')))).toEqual(expected);
  expect(parseTallies('').size).toBe(0);
  // A socket that listened, and one that was torn.
  expect(parseTallies('UNCONN 0 65485 0.0.0.0:35042 127.0.0.1:* rto:1000 lastrcv:9\nUNCONN 0 0 127.0').size).toBe(0);
});
