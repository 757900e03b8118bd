/** Addresses that change hands by HUP: whoever is to get one starts when whoever had it has ended. */
import http from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

const program = `
const { createServer } = require('node:http');
const name = process.env.NAME;
const server = createServer((_, response) => response.end(name));
server.on('error', ({ code }) => { console.log('cannot listen: ' + code); process.exit(1); });
const inherited = process.env.LISTEN_FDS !== undefined || process.env.SERVER_STARTER_PORT !== undefined;
server.listen(inherited ? { fd: 3 } : Number(process.env.PORT), () => console.log('serving'));
// It takes its time to end, holds its port until then, and cuts no answer.
process.on('SIGTERM', () => setTimeout(() => server.close(() => process.exit(0)), Number(process.env.LATE ?? 0)));
`;

/** What is answered at a port or a path. A refused connection rejects. */
function ask(where: number | string): Promise<string> {
  const at = typeof where === 'number' ? { port: where, host: '127.0.0.1' } : { socketPath: where };
  return new Promise((resolve, reject) => {
    const request = http.get({ ...at, agent: false, path: '/' }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

function give(ws: Workspace, app: App, config: string): void {
  ws.write('proclet.yml', config);
  app.signal('SIGHUP');
}

async function end(ws: Workspace, app: App): Promise<void> {
  expect(app.text).not.toContain('cannot listen');
  expect(app.text).not.toContain('cannot be reached');
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  expect(ws.survivors()).toEqual([]);
}

const procfile = (...names: string[]) =>
  names.map((name, n) => `${name}: NAME=${name} LATE=${300 * n} exec node program.cjs\n`).join('');

test('services that exchange their ports by HUP, one of them slow to end, both come up at the new ones', async () => {
  const ws = workspace({ Procfile: procfile('a', 'b', 'c'), 'program.cjs': program });
  const ports = [ws.port + 50, ws.port + 51, ws.port + 52] as const;
  const config = (a: number, b: number, c: number) => `services: {a: {port: ${a}}, b: {port: ${b}}, c: {port: ${c}}}\n`;
  ws.write('proclet.yml', config(...ports));
  const app = ws.proclet('start', '-p', String(ws.port));
  await eventually(async () => expect(await Promise.all(ports.map(ask))).toEqual(['a', 'b', 'c']));
  give(ws, app, config(ports[1], ports[2], ports[0]));
  await eventually(async () => expect(await Promise.all(ports.map(ask))).toEqual(['c', 'a', 'b']));
  // A service for one that is gone, and the one after it moves up.
  ws.write('Procfile', procfile('a', 'd', 'c'));
  give(ws, app, `services: {a: {port: ${ports[0]}}, d: {port: ${ports[2]}}, c: {port: ${ports[1]}}}\n`);
  await eventually(async () => expect(await Promise.all(ports.map(ask))).toEqual(['a', 'c', 'd']));
  await end(ws, app);
});

for (const reload of ['restart', 'handover', 'shotgun']) {
  test(`addresses that proclet holds are exchanged by HUP, with reload: ${reload}, and refuse nobody`, async () => {
    const ws = workspace({ Procfile: procfile('a', 'b'), 'program.cjs': program });
    const [one, two, path] = [ws.port + 50, ws.port + 51, join(ws.directory, 'own.sock')];
    const config = (a: string, b: string) =>
      `services: {a: {reload: ${reload}, listen: [${a}]}, b: {reload: ${reload}, listen: [${b}]}}\n`;
    ws.write('proclet.yml', config(`${one}, ./own.sock`, `${two}`));
    const app = ws.proclet('start', '-p', String(ws.port));
    const all = () => Promise.all([one, two].map(ask));
    await eventually(async () => expect(await all()).toEqual(['a', 'b']));
    give(ws, app, config(`${two}`, `${one}, ./own.sock`));
    // No connection is refused on the way: each of these would reject.
    const seen: string[][] = [];
    for (;;) {
      const answers = await all();
      seen.push(answers);
      if (answers.join() === 'b,a') break;
      if (seen.length > 20_000) throw new Error(`never exchanged: ${seen.at(-1)}\n${app.text}`);
    }
    // What inherits both serves the first; a front serves both.
    if (reload === 'shotgun') await eventually(async () => expect(await ask(path)).toBe('b'));
    await end(ws, app);
  });
}

test('a service gets a front at the Unix socket that it had itself, as soon as its life has ended', async () => {
  const own = program.replace('Number(process.env.PORT)', 'process.env.OWN ?? Number(process.env.PORT)');
  const ws = workspace({ Procfile: 'a: NAME=a exec node program.cjs\n', 'program.cjs': own });
  const path = join(ws.directory, 'own.sock');
  ws.write('proclet.yml', 'services: {a: {env: {OWN: ./own.sock}}}\n');
  const app = ws.proclet('start', '-p', String(ws.port));
  await eventually(async () => expect(await ask(path)).toBe('a'));
  for (const listen of ['listen: ./own.sock, start: on-access', 'env: {OWN: ./own.sock}', 'listen: ./own.sock']) {
    give(ws, app, `services: {a: {${listen}}}\n`);
    await app.line(/configuration was read again/);
    await eventually(async () => expect(await ask(path)).toBe('a'));
  }
  await end(ws, app);
});
