import { expect, test } from 'vitest';
import type { Closings } from '../../../src/network/closings.js';
import { createOwnPorts } from '../../../src/network/own-ports.js';
import { type Sockets, watchPassively } from '../../../src/network/passive.js';
import type { Tally } from '../../../src/network/tallies.js';
import { FakeClock } from '../../support/fake-clock.js';

const header = '  sl  local_address rem_address st\n';
const states = { established: '01', 'fin-wait-2': '05', 'time-wait': '06', 'close-wait': '08', listen: '0A' } as const;

interface Row {
  readonly from: string;
  readonly to?: string;
  readonly state?: keyof typeof states;
  readonly inode?: number;
  /** When it was closed, by the clock. */
  readonly closed?: number;
  readonly unsent?: number;
  readonly unread?: number;
}

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');

/** `127.0.0.1:80` as the kernel prints it. */
function end(text: string): string {
  const [address = '', port = ''] = text.split(':');
  const bytes = address.split('.').reverse();
  return `${bytes.map((byte) => hex(Number(byte), 2)).join('')}:${hex(Number(port), 4)}`;
}

function line(row: Row, now: number): string {
  const { from, to = '0.0.0.0:0', state = 'established', inode = 0, closed, unsent = 0, unread = 0 } = row;
  const timer = closed === undefined ? '00:00000000' : `03:${hex(Math.floor((60_000 - now + closed) / 10), 8)}`;
  const queues = `${hex(unsent, 8)}:${hex(unread, 8)}`;
  return `   0: ${end(from)} ${end(to)} ${states[state]} ${queues} ${timer} 00000000     0        0 ${inode} 1 0\n`;
}

const listening: Row = { from: '0.0.0.0:80', state: 'listen', inode: 7 };

/** A machine on which a service holds socket 7. */
class Machine implements Sockets {
  rows: Row[] = [listening];
  said: Map<string, Tally> | undefined = new Map();
  count: number | undefined = 0;
  readings = 0;
  cost = 9;
  /** The ports whose connections are told when they end; undefined where that is not possible. */
  followed: readonly number[] | undefined;
  isTelling = false;
  #heard: (tallies: ReadonlyMap<string, Tally>) => void = () => {};
  /** Stands still while the machine sleeps. */
  jiffies: () => number;
  #used = 0;

  constructor(clock: FakeClock) {
    this.jiffies = clock.now;
  }

  accepted = () => this.count;
  used = () => this.#used;
  heldBy = (_: readonly number[], inodes: ReadonlySet<string>) => new Set(['7'].filter((inode) => inodes.has(inode)));
  tallies = () => this.said;
  closings = (heard: (tallies: ReadonlyMap<string, Tally>) => void): Closings => {
    this.#heard = heard;
    const close = () => {
      this.followed = undefined;
    };
    const follow = (ports: readonly number[]) => {
      this.followed = ports;
    };
    const isOn = () => this.isTelling && this.followed !== undefined;
    return {
      close,
      follow,
      get isOn() {
        return isOn();
      },
    };
  };
  /** The kernel tells of the end of a connection to port 80. */
  ends(client: number, quietFor: number, address = '127.0.0.1') {
    const tally = { port: 80, client: { address, port: client }, bytes: 2, quietFor, owes: false };
    this.#heard(new Map([[`80<${address}#${client}`, tally]]));
  }
  addresses = () => ['192.0.2.2'];
  tables = () => {
    this.readings += 1;
    this.#used += this.cost;
    return header + this.rows.map((row) => line(row, this.jiffies())).join('');
  };
}

function watching() {
  const clock = new FakeClock();
  const machine = new Machine(clock);
  const own = createOwnPorts(clock);
  const passive = watchPassively({ clock, pids: () => [1], isOwnPort: own.has }, machine);
  clock.advance(100_000);
  machine.readings = 0;
  return { clock, machine, own, passive, last: () => passive.look().last };
}

const tick = 20;

test('what is left of a closed connection, at either end, says when it was closed, and only once', () => {
  for (const ends of [
    { from: '127.0.0.1:80', to: '127.0.0.1:40000' },
    { from: '127.0.0.1:40000', to: '127.0.0.1:80' },
    { from: '192.0.2.2:40000', to: '192.0.2.2:80' },
    { from: '192.0.2.2:80', to: '198.51.100.7:40000' },
  ]) {
    const { clock, machine, last } = watching();
    expect(last()).toBe(-Infinity);
    const closed = clock.now() - 16_790;
    machine.rows = [listening, { ...ends, state: 'time-wait', closed }];
    expect(last()).toBe(closed + tick);
    clock.advance(30_000);
    expect(last()).toBe(closed + tick);
  }
});

test('the same pair of ports closed again is another access', () => {
  const { clock, machine, last } = watching();
  const row: Row = { from: '127.0.0.1:80', to: '127.0.0.1:40000', state: 'time-wait' };
  machine.rows = [listening, { ...row, closed: clock.now() }];
  expect(last()).toBe(clock.now());
  clock.advance(1_100);
  machine.rows = [listening, { ...row, closed: clock.now() - 100 }];
  expect(last()).toBe(clock.now() - 100 + tick);
});

test('closed connections that stood still while the machine slept are no accesses when it wakes', () => {
  const { clock, machine, last } = watching();
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000', state: 'time-wait', closed: clock.now() }];
  const before = last();
  const [fell, woke] = [clock.now(), clock.now() + 8 * 3_600_000];
  machine.jiffies = () => fell;
  clock.now = () => woke;
  expect(last()).toBe(before);
});

test('connections of the service to others are no accesses, whatever their ports', () => {
  const { clock, machine, last } = watching();
  machine.rows = [
    listening,
    { from: '192.0.2.2:40000', to: '198.51.100.7:80' },
    { from: '192.0.2.2:40001', to: '198.51.100.7:80', state: 'time-wait', closed: clock.now() - 10_000 },
    { from: '127.0.0.1:40002', to: '127.0.0.1:5432' },
  ];
  expect(last()).toBe(-Infinity);
});

test('a port is watched on the address that the service has it on', () => {
  const { machine, passive } = watching();
  machine.rows = [
    { from: '127.0.0.1:80', state: 'listen', inode: 7 },
    { from: '192.0.2.2:80', state: 'listen', inode: 8 }, // somebody else's
    { from: '192.0.2.2:80', to: '198.51.100.7:40000' },
  ];
  expect(passive.look()).toEqual({ last: -Infinity, busy: false, listens: true });
  expect(passive.ports).toEqual([80]);
});

test("proclet's own connections are none, open or closed, but the same port of another machine is", () => {
  const { clock, machine, own, last } = watching();
  const ended = own.hold(40_000);
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000', unread: 10 }];
  expect(last()).toBe(-Infinity);
  ended('connected');
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000', state: 'time-wait', closed: clock.now() }];
  expect(last()).toBe(-Infinity);
  clock.advance(59_000);
  expect(last()).toBe(-Infinity);
  machine.rows = [listening, { from: '192.0.2.2:80', to: '198.51.100.7:40000' }];
  expect(last()).toBe(clock.now());
});

test('the port of a refused connection is forgotten at once', () => {
  const clock = new FakeClock();
  const own = createOwnPorts(clock);
  const [first, second] = [own.hold(40_000), own.hold(40_000)];
  first('refused');
  expect(own.has(40_000)).toBe(true);
  second('refused');
  second('refused');
  expect(own.has(40_000)).toBe(false);
  own.hold(40_001)('connected');
  clock.advance(64_000);
  expect(own.has(40_001)).toBe(true);
  clock.advance(2_000);
  expect(own.has(40_001)).toBe(false);
});

test('where ends are not told, the end of a connection is an access, however it came', () => {
  const { clock, machine, last } = watching();
  const row: Row = { from: '127.0.0.1:80', to: '127.0.0.1:40000' };
  machine.rows = [listening, row];
  const opened = last();
  expect(opened).toBe(clock.now());
  clock.advance(30_000);
  expect(last()).toBe(opened);
  machine.rows = [listening];
  expect(last()).toBe(clock.now());
});

test('where ends are told, the last byte of a connection is the access and not its end', () => {
  for (const order of ['told first', 'seen first']) {
    const { clock, machine, passive, last } = watching();
    machine.isTelling = true;
    machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000' }];
    const opened = last();
    expect(machine.followed).toEqual([80]);
    clock.advance(100_000);
    expect(last()).toBe(opened);
    if (order === 'told first') machine.ends(40_000, 30_000);
    machine.rows = [
      listening,
      { from: '127.0.0.1:80', to: '127.0.0.1:40000', state: 'time-wait', closed: clock.now() - tick },
    ];
    if (order === 'seen first') {
      // It may have carried something at last: until it is told, that counts.
      expect(last()).toBe(clock.now());
      machine.ends(40_000, 30_000);
    }
    const active = clock.now() - 30_000;
    expect(passive.look()).toEqual({ last: active, busy: false, listens: true });
    clock.advance(30_000);
    expect(last()).toBe(active);
  }
});

test('an end that should have been told and was not is an access', () => {
  const { clock, machine, last } = watching();
  machine.isTelling = true;
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000' }];
  last();
  clock.advance(100_000);
  machine.rows = [listening];
  const ended = last();
  expect(ended).toBe(clock.now());
  clock.advance(10_000);
  machine.ends(40_000, 100_000);
  expect(last()).toBe(ended);
});

test('a connection that left no trace but its end is an access, unless it was our own or of a port of others', () => {
  const { clock, machine, own, last } = watching();
  machine.isTelling = true;
  last();
  own.hold(40_000);
  machine.ends(40_000, 4);
  expect(last()).toBe(-Infinity);
  machine.ends(40_000, 4, '198.51.100.7');
  expect(last()).toBe(clock.now() - 4);
  clock.advance(10_000);
  machine.rows = [{ from: '0.0.0.0:81', state: 'listen', inode: 7 }];
  const before = last();
  machine.ends(40_001, 4);
  expect(last()).toBe(before);
});

test('a client that closes late what the service has closed long ago adds nothing', () => {
  const { clock, machine, last } = watching();
  const row: Row = { from: '127.0.0.1:80', to: '127.0.0.1:40000' };
  machine.rows = [listening, { ...row, state: 'fin-wait-2', closed: clock.now() - 1_000 }];
  const closed = last();
  expect(closed).toBe(clock.now());
  clock.advance(30_000);
  expect(last()).toBe(closed);
  machine.rows = [listening];
  expect(last()).toBe(closed);
});

test('bytes that wait at the end of the service make it busy, at the end of the client they do not', () => {
  const { clock, machine, passive } = watching();
  const row: Row = { from: '127.0.0.1:80', to: '127.0.0.1:40000' };
  for (const [more, busy] of [
    [{ unsent: 100 }, true],
    [{ unread: 1 }, true],
    [{}, false],
    [{ state: 'close-wait', unread: 1 }, false], // the client's end of stream, which nobody has read
    [{ state: 'close-wait', unsent: 1 }, true],
  ] as const) {
    machine.rows = [listening, { ...row, ...more }, { from: row.to!, to: row.from, unread: 5 }];
    clock.advance(30_000);
    expect(passive.look()).toMatchObject({ busy, ...(busy && { last: clock.now() }) });
  }
});

test('bytes that moved are an access at their moment, silence is none, and a question without answer holds for 15 minutes', () => {
  const { clock, machine, passive } = watching();
  const key = '80<127.0.0.1#40000';
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000' }];
  const look = (tally: Omit<Tally, 'port' | 'client'>) => {
    machine.said = new Map([[key, { port: 80, client: { address: '127.0.0.1', port: 40_000 }, ...tally }]]);
    return passive.look();
  };
  const opened = look({ bytes: 0, quietFor: 0, owes: false }).last;
  clock.advance(60_000);
  expect(look({ bytes: 0, quietFor: 60_000, owes: false })).toMatchObject({ last: opened, busy: false });
  expect(look({ bytes: 100, quietFor: 20_000, owes: false })).toMatchObject({
    last: clock.now() - 20_000,
    busy: false,
  });
  const spoke = clock.now() - 20_000;
  clock.advance(60_000);
  // The kernel counts in ticks, and ss took a while: nothing of that may pass for an access.
  expect(look({ bytes: 100, quietFor: 79_950, owes: false })).toMatchObject({ last: spoke, busy: false });
  expect(look({ bytes: 150, quietFor: 500, owes: false })).toMatchObject({ last: clock.now(), busy: true });
  clock.advance(800_000);
  expect(look({ bytes: 200, quietFor: 790_000, owes: true })).toMatchObject({ last: clock.now(), busy: true });
  clock.advance(200_000);
  expect(look({ bytes: 200, quietFor: 990_000, owes: true }).busy).toBe(false);
});

test('where nobody can count bytes, an open connection holds and a closed one does not', () => {
  const { clock, machine, passive } = watching();
  machine.said = undefined;
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000' }];
  clock.advance(3_600_000);
  expect(passive.look()).toEqual({ last: clock.now(), busy: true, listens: true });
  machine.rows = [listening];
  clock.advance(3_000);
  expect(passive.look()).toMatchObject({ busy: false });
});

test('a service that stops listening has no port and no connection any more', () => {
  const { machine, passive } = watching();
  machine.said = undefined;
  machine.rows = [listening, { from: '127.0.0.1:80', to: '127.0.0.1:40000' }];
  expect(passive.look()).toMatchObject({ busy: true, listens: true });
  machine.rows = [];
  expect(passive.look()).toMatchObject({ busy: false, listens: false });
  expect(passive.ports).toEqual([]);
});

test('where ends are told, the tables are read every five seconds, whoever connects', () => {
  const { clock, machine } = watching();
  machine.isTelling = true;
  clock.advance(5_000);
  machine.readings = 0;
  for (let second = 0; second < 60; second += 1) {
    machine.count = second;
    clock.advance(1_000);
  }
  expect(machine.readings).toBe(12);
});

test('where they are not, the tables are read when a connection was accepted, and else every five seconds', () => {
  const { clock, machine } = watching();
  clock.advance(60_000);
  expect(machine.readings).toBeLessThanOrEqual(12);
  expect(machine.readings).toBeGreaterThanOrEqual(11);
  machine.readings = 0;
  machine.count = 1;
  clock.advance(100);
  expect(machine.readings).toBe(1);
});

test('readings cost a hundredth of a processor at most, but are never more than 20 seconds apart', () => {
  const { clock, machine } = watching();
  for (const cost of [9, 90, 900]) {
    machine.cost = cost;
    machine.readings = 0;
    const used = machine.used();
    for (let beat = 0; beat < 6_000; beat += 1) {
      machine.count = beat; // somebody connects all the time
      clock.advance(100);
    }
    const percent = (machine.used() - used) / 6_000;
    expect(percent).toBeLessThan(cost > 200 ? 100 : 1.05);
    expect(machine.readings).toBeGreaterThanOrEqual(29);
  }
});

test('where accepted connections are not counted, the tables are read every second', () => {
  const { clock, machine } = watching();
  machine.count = undefined;
  clock.advance(60_000);
  expect(machine.readings).toBeGreaterThan(50);
  expect(machine.readings).toBeLessThanOrEqual(61);
});

test('services share the readings, and the last one to leave ends them', () => {
  const { clock, machine, passive, own } = watching();
  const other = watchPassively({ clock, pids: () => [2], isOwnPort: own.has }, machine);
  clock.advance(50_000);
  expect(machine.readings).toBeLessThanOrEqual(10);
  passive.close();
  expect(clock.waiting).toBe(1);
  expect(machine.followed).toEqual([80]);
  other.close();
  expect(clock.waiting).toBe(0);
  expect(machine.followed).toBeUndefined();
});
