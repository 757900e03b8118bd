import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import { question } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { has } from '../support/terminal.js';
import { isGuardian } from '../support/traces.js';
import { workspace } from '../support/workspace.js';

interface Program {
  readonly needs: string;
  readonly command: string;
  readonly says: string;
  readonly expects: RegExp;
  readonly files?: Record<string, string>;
}

const get = 'GET / HTTP/1.0\r\n\r\n';
const psgi = { 'app.psgi': "sub { [200, ['Content-Type' => 'text/plain'], ['hello from perl']] };\n" };
const nginx = `daemon off; pid nginx.pid; error_log stderr; user root;
events {} http { access_log off; server { listen 127.0.0.1:@PORT@; return 200 "hello from nginx"; } }
`;

const programs: Record<string, Program> = {
  plackup: {
    needs: 'plackup',
    command: 'plackup -p $PORT app.psgi',
    says: get,
    expects: /hello from perl/,
    files: psgi,
  },
  Starman: {
    needs: 'starman',
    command: 'starman --workers 2 --port $PORT app.psgi',
    says: get,
    expects: /hello from perl/,
    files: psgi,
  },
  gunicorn: {
    needs: 'gunicorn',
    command: 'gunicorn -b 127.0.0.1:$PORT app:app',
    says: get,
    expects: /hello from python/,
    files: { 'app.py': "def app(environ, start):\n    start('200 OK', [])\n    return [b'hello from python']\n" },
  },
  nginx: {
    needs: 'nginx',
    command: 'sed "s/@PORT@/$PORT/" template >nginx.conf && exec nginx -p "$PWD" -c "$PWD/nginx.conf"',
    says: get,
    expects: /hello from nginx/,
    files: { template: nginx },
  },
  Redis: {
    needs: 'redis-server',
    command: 'redis-server --port $PORT --save ""',
    says: 'PING\r\n',
    expects: /^\+PONG/,
  },
  'a server of upgraded connections': {
    needs: 'node',
    command: 'node upgrades.mjs',
    says: 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    expects: /101 Switching Protocols/,
  },
};

/** Connects, says something, and answers what came back until it matches. */
function ask(port: number, says: string, expects: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = createConnection(port, '127.0.0.1', () => socket.write(says));
    socket.setEncoding('latin1').on('data', (text) => {
      heard += text;
      if (!expects.test(heard)) return;
      socket.destroy();
      resolve(heard);
    });
    socket.on('error', reject).on('close', () => reject(new Error(`closed after ${heard}`)));
  });
}

describe('a real program sleeps when nobody uses it, and wakes', () => {
  for (const [name, { needs, command, says, expects, files = {} }] of Object.entries(programs)) {
    const missing = needs !== 'node' && !has(needs);
    if (missing && question('NOTHING_SKIPS')) throw new Error(`${needs} is not installed, and nothing may be skipped`);
    if (missing) console.warn(`skipped: ${name} (${needs} is not installed)`);
    test.skipIf(missing)(name, async () => {
      const ws = workspace({
        ...files,
        Procfile: `web: ${command}\n`,
        'proclet.yml': 'services: {web: {start: on-access, idle: 1s}}\n',
      });
      const app = ws.proclet('start', '-p', String(ws.port));
      await eventually(() => ask(ws.port, says, expects));
      await app.line(/web\.1 expired: idle for 1s, last used/);
      expect(ws.survivors().filter(({ pid }) => pid !== app.pid && !isGuardian(pid))).toEqual([]);
      await ask(ws.port, says, expects);
      await eventually(() => expect(app.text.match(/an access wakes web/g)).toHaveLength(2));
    });
  }
});
