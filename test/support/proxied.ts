/** The launcher's real socket in front of one service, `hoge`, that is a server of the test. */
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { openLauncher } from '../../src/launcher/server.js';
import { createClock } from '../../src/platform/clock.js';
import { launcherWith, project } from './launcher.js';
import { claimPorts, releasePorts } from './port-blocks.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that says these bytes to each connection that has said something, or does as it likes. */
export async function saying(answer: string | ((socket: Socket, data: Buffer) => void)): Promise<number> {
  const open = new Set<Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    if (typeof answer === 'string') socket.once('data', () => socket.end(Buffer.from(answer, 'latin1')));
    else socket.on('data', (data) => answer(socket, data));
  });
  return listening(server, () => {
    for (const socket of open) socket.destroy();
  });
}

/** Its port; it is closed when the test ends. */
export async function listening(server: net.Server, before: () => void = () => {}): Promise<number> {
  await new Promise<void>((go) => void server.listen(0, '127.0.0.1', go));
  closers.push(() => {
    before();
    return new Promise((go) => void server.close(go));
  });
  return (server.address() as AddressInfo).port;
}

/**
 * `service`: the port at which it is up; absent for one that sleeps, which ends its launches by hand. A project that is
 * added later is found once the list of projects was read again.
 */
export async function proxied(service?: number, registered: 'at first' | 'added later' = 'at first') {
  const port = claimPorts();
  const { parts, launched, said } = launcherWith([project('hoge')]);
  const up = service === undefined ? undefined : { host: '127.0.0.1', port: service };
  const clock = createClock();
  let isKnown = registered === 'at first';
  const projects = {
    ...parts.projects,
    find: (name: string) => (isKnown ? parts.projects.find(name) : undefined),
    refresh: async () => {
      isKnown = true;
    },
  };
  const launches = { ...parts.launches, addressOf: () => up };
  const launcher = await openLauncher({ ...parts, clock, port, projects, launches }, ['127.0.0.1']);
  closers.push(async () => {
    await launcher.close();
    clock.close();
    releasePorts(port);
  });
  const host = `hoge.localhost:${port}`;
  /** Sends bytes, and resolves with all that was answered once that is over. */
  const raw = (...heads: string[]) =>
    new Promise<string>((go) => {
      let text = '';
      const socket = connect((data) => {
        text += data.toString('latin1');
      });
      socket.on('close', () => go(text)).write(heads.join(''), 'latin1');
    });
  const connect = (onData: (data: Buffer) => void = () => {}) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    closers.push(() => socket.destroy());
    return socket.on('error', () => {}).on('data', onData);
  };
  return { port, host, raw, connect, launched, said, launcher };
}
