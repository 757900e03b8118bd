/** What stands at an address is another after a HUP: the service runs as a start would have it, and nobody is refused. */
import { readdirSync, statSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

/** Says how it was started, and who its client is said to be. Cuts nobody off when it ends. */
const program = `
const { createServer } = require('node:net');
const own = String(process.env.PUBLIC) === process.env.PORT ? 'own' : 'other';
const from = process.env.SERVER_STARTER_PORT === undefined ? 'port' : 'socket';
const server = createServer((client) => {
  client.on('error', () => {});
  client.once('data', (bytes) => {
    const told = bytes.toString('latin1').includes('QUIT\\n') ? 'told' : 'untold';
    client.end([from, own, told].join(' '));
  });
});
server.on('error', ({ code }) => { console.log('cannot listen: ' + code); process.exit(1); });
server.listen(from === 'socket' ? { fd: 3 } : { port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

interface Form {
  readonly config: (port: number) => string;
  readonly says: string;
  /** Proclet has the address all the time. */
  readonly isHeld: boolean;
}

const forms = {
  plain: { config: () => 'grace: 5s', says: 'port own untold', isHeld: false },
  idle: { config: () => 'idle: 10m', says: 'port other untold', isHeld: false },
  lazy: { config: () => 'start: on-access', says: 'port other untold', isHeld: true },
  handover: { config: () => 'reload: handover', says: 'port other untold', isHeld: true },
  shotgun: { config: () => 'reload: shotgun', says: 'port other untold', isHeld: true },
  inherited: { config: (port) => `listen: ${port}`, says: 'socket other untold', isHeld: true },
  both: { config: (port) => `listen: ${port}, reload: handover`, says: 'socket other untold', isHeld: true },
  told: { config: (port) => `listen: ${port}, proxy-protocol: true`, says: 'port other told', isHeld: true },
  toldBoth: {
    config: (port) => `listen: ${port}, proxy-protocol: true, reload: handover`,
    says: 'port other told',
    isHeld: true,
  },
} satisfies Record<string, Form>;

type Name = keyof typeof forms;

function ask(where: number | { readonly path: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const at = typeof where === 'number' ? { port: where, host: '127.0.0.1' } : where;
    const socket = net.connect(at, () => socket.write('hello\n'));
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
}

function write(ws: Workspace, name: Name): void {
  ws.write('proclet.yml', `services: {a: {env: {PUBLIC: "${ws.port}"}, ${forms[name].config(ws.port)}}}\n`);
}

/** Asks all the time until the answer is that of a form. Rejects when a connection is refused that may not be. */
async function becomes(ws: Workspace, app: App, { says, isHeld }: Form, wasHeld: boolean): Promise<void> {
  const until = performance.now() + 20_000;
  for (;;) {
    const answer = await ask(ws.port).catch((error: NodeJS.ErrnoException) => {
      if (isHeld && wasHeld && error.code === 'ECONNREFUSED') throw new Error(`${error.message}\n${app.text}`);
      return error.code;
    });
    if (answer === says) return;
    if (performance.now() > until) throw new Error(`it says '${answer}', not '${says}':\n${app.text}`);
    await new Promise(setImmediate);
  }
}

/** Each is a way through pairs of forms. */
const ways: readonly (readonly Name[])[] = [
  ['plain', 'inherited', 'plain', 'lazy', 'plain', 'idle', 'plain'],
  ['plain', 'handover', 'plain', 'told', 'plain', 'both', 'plain'],
  ['lazy', 'inherited', 'lazy', 'both', 'lazy', 'idle', 'lazy'],
  ['handover', 'inherited', 'handover', 'both', 'handover', 'told', 'handover'],
  ['shotgun', 'inherited', 'shotgun', 'both', 'shotgun', 'handover', 'shotgun'],
  ['told', 'inherited', 'told', 'both', 'toldBoth', 'handover', 'toldBoth', 'lazy'],
  ['inherited', 'both', 'inherited', 'idle', 'inherited', 'shotgun', 'plain'],
];

test.each(ways.map((way) => [way.join(', '), way] as const))('%s', async (_, way) => {
  const ws = workspace({ Procfile: 'a: exec node program.cjs\n', 'program.cjs': program });
  const [first, ...others] = way as [Name, ...Name[]];
  write(ws, first);
  const app = ws.proclet('start', '-p', String(ws.port));
  await eventually(async () => expect(await ask(ws.port)).toBe(forms[first].says));
  let before: Form = forms[first];
  for (const name of others) {
    write(ws, name);
    app.signal('SIGHUP');
    await becomes(ws, app, forms[name], before.isHeld);
    before = forms[name];
  }
  expect(app.text).not.toMatch(/cannot listen|cannot be reached|not read again/);
  ws.write('proclet.yml', 'services: {a: {port: false}}\n');
  app.signal('SIGHUP');
  await eventually(() => expect(ask(ws.port)).rejects.toThrow('ECONNREFUSED'));
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
});

test('an answer that is owed through a front is given, though services inherit its socket from now on', async () => {
  const ws = workspace({ Procfile: 'a: exec node program.cjs\n', 'program.cjs': program });
  write(ws, 'lazy');
  const app = ws.proclet('start', '-p', String(ws.port));
  await eventually(async () => expect(await ask(ws.port)).toBe('port other untold'));
  const socket = net.connect({ port: ws.port, host: '127.0.0.1' });
  const text = new Promise((resolve, reject) => {
    socket.setEncoding('utf8').once('data', resolve).on('error', reject);
  });
  await new Promise((resolve) => socket.write('h', resolve));
  socket.pause();
  write(ws, 'inherited');
  app.signal('SIGHUP');
  await becomes(ws, app, forms.inherited, true);
  socket.resume();
  expect(await text).toBe('port other untold');
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
});

test('a Unix socket keeps its name while what stands at it changes', async () => {
  const ws = workspace({ Procfile: 'a: exec node program.cjs\n', 'program.cjs': program });
  const path = join(ws.directory, 'own.sock');
  const at = () => ask({ path });
  const give = (more: string) => {
    ws.write('proclet.yml', `services: {a: {env: {PUBLIC: "${ws.port}"}, listen: ./own.sock${more}}}\n`);
    app.signal('SIGHUP');
  };
  ws.write('proclet.yml', 'services: {a: {}}\n');
  const app = ws.proclet('start', '-p', String(ws.port));
  await app.line(/a\.1 started/);
  for (const [more, says] of [
    [', start: on-access', 'port own untold'],
    ['', 'socket own untold'],
    [', proxy-protocol: true', 'port own told'],
    [', reload: handover', 'socket other untold'],
    [', proxy-protocol: true', 'port own told'],
  ] as const) {
    give(more);
    await eventually(async () => expect(await at()).toBe(says));
    expect(statSync(path).isSocket()).toBe(true);
  }
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  expect(readdirSync(ws.directory).filter((name) => name.startsWith('own.sock'))).toEqual([]);
});
