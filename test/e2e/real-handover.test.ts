/** Handovers of the programs that people run, asked all the time; bench/handover.mjs does it a hundred times each. */
import { get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { question } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { has } from '../support/terminal.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

const files = {
  'app.psgi': `my $v = do { open my $f, '<', 'version'; <$f> }; die "cannot load $v" if $v eq 'bad'; sub { [200, ['Content-Type' => 'text/plain'], [$v]] }`,
  'app.py': `v = open('version').read().encode()\nif v == b'bad': raise RuntimeError('cannot load bad')\ndef app(environ, start):\n    start('200 OK', [('Content-Length', str(len(v)))])\n    return [v]\n`,
  'serve.py': `import http.server, os
v = open('version').read().encode()
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', str(len(v))); self.end_headers(); self.wfile.write(v)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()
`,
};
const bySocket = (port: number) => `services: {web: {watch: version, reload: handover, listen: ${port}}}`;
const byFront = () => 'services: {web: {watch: version, reload: handover}}';

const cases: [string, string, string, (port: number) => string][] = [
  ['gunicorn, by inherited socket', 'gunicorn', 'exec gunicorn --workers 2 app:app', bySocket],
  ['Starman, through the front', 'starman', 'exec starman --workers 2 --port $PORT app.psgi', byFront],
  ['plackup, through the front', 'plackup', 'exec plackup --port $PORT app.psgi', byFront],
  ['python3, through the front', 'python3', 'exec python3 serve.py', byFront],
];

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      response.on('end', () => resolve(text)).on('error', reject);
    }).on('error', reject);
  });
}

/** Asks again and again; the first failure is thrown at the end. */
function load(port: number) {
  let goesOn = true;
  const run = async () => {
    let answered = 0;
    for (; goesOn; answered += 1) await ask(port);
    return answered;
  };
  const all = Promise.all([run(), run()]);
  all.catch(() => {});
  return () => {
    goesOn = false;
    return all;
  };
}

async function start(
  command: string,
  config: (port: number) => string,
): Promise<{ ws: Workspace; app: App; port: number; stop(): Promise<void> }> {
  const ws = workspace({ ...files, Procfile: `web: ${command}`, version: 'v0' });
  const isProxied = config === byFront;
  const port = isProxied ? ws.port : ws.port + 50;
  ws.write('proclet.yml', config(port));
  const app = ws.proclet('start', '-p', String(ws.port));
  await eventually(async () => expect(await ask(port), app.text).toBe('v0'), 20_000);
  const stop = async () => {
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(ws.survivors()).toEqual([]);
  };
  return { ws, app, port, stop };
}

describe('no request fails while generations follow each other', () => {
  test.each(cases)('%s', async (_, program, command, config) => {
    if (!has(program)) return;
    const { ws, app, port, stop } = await start(command, config);
    const end = load(port);
    for (const [index, version] of ['v1', 'v2', 'v3'].entries()) {
      ws.write('version', version);
      await eventually(async () => expect(await ask(port)).toBe(version), 20_000);
      // A gunicorn that is stopped while it boots may forget that, and is killed with what it has accepted.
      await app.line(`web.1 handed over to generation ${index + 2}`, 20_000);
    }
    const answered = await end();
    for (const count of answered) expect(count).toBeGreaterThan(3);
    await stop();
  });

  test.each([
    ['gunicorn', 'exec gunicorn --workers 1 -b 127.0.0.1:$PORT app:app', 'cannot load bad'],
    ['starman', 'exec starman --workers 1 --port $PORT app.psgi', ''],
  ])(
    '%s with an application that cannot load takes over nothing, though it listens',
    async (program, command, words) => {
      if (!has(program)) return;
      const { ws, app, port, stop } = await start(command, byFront);
      const end = load(port);
      ws.write('version', 'bad');
      await app.line('web.1: generation 2 starts beside the old one');
      if (words === '') await app.line('cannot load bad', 20_000);
      else await app.line('web.1 keeps generation 1: generation 2 failed', 20_000);
      await app.line(words, 20_000);
      await end();
      expect(await ask(port)).toBe('v0');
      ws.write('version', 'v1');
      await eventually(async () => expect(await ask(port)).toBe('v1'), 20_000);
      expect(app.text).not.toContain('handed over to generation 2');
      await stop();
    },
  );

  test('every program is installed', ({ skip }) => {
    const missing = cases.map(([, program]) => program).filter((program) => !has(program));
    if (question('NOTHING_SKIPS') !== 'true') skip(missing.length > 0, missing.join(', '));
    expect(missing).toEqual([]);
  });
});

test('Starman inherits the socket, and its workers keep it across generations', async ({ skip }) => {
  if (question('NOTHING_SKIPS') !== 'true') skip(!has('starman'), 'Starman is not installed');
  const { ws, port, stop } = await start('exec starman --workers 2 app.psgi', (p) =>
    bySocket(p).replace('listen', 'reload-signal: QUIT, listen'),
  );
  ws.write('version', 'v1');
  await eventually(async () => expect(await ask(port)).toBe('v1'), 20_000);
  await stop();
});
