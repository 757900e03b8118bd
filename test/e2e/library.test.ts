import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { linesOf, statusOf } from '../support/launch.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

const root = resolve(import.meta.dirname, '../..');

/** A workspace where `proclet` can be imported. */
function scripted(files: Record<string, string>): Workspace {
  const ws = workspace(files);
  const modules = join(ws.directory, 'node_modules');
  ws.write('node_modules/.here', '');
  symlinkSync(root, join(modules, 'proclet'));
  return ws;
}

const run = (ws: Workspace, script: string, env: Record<string, string> = {}) =>
  ws.start(process.execPath, [script], { env });

const imports = "import { Proclet } from 'proclet';\n";

async function stop(app: App): Promise<number | string> {
  app.signal('SIGINT');
  return statusOf(app);
}

test('the documented example runs: workers, a function that waits for them, and a report at its times', async () => {
  const ws = workspace({});
  const script = `process.chdir(${JSON.stringify(root)}); await import(${JSON.stringify(join(root, 'examples/proclet.mjs'))});`;
  ws.write('run.mjs', script);
  // Its functions are run by running the script again, whoever imports the example.
  const app = run(ws, 'run.mjs', { PORT: String(ws.port) });
  await app.line(/job\.1 \| job 1: Hello from web\.\d/);
  await app.line(/report\.1 \| load \d+ KB/, 15_000);
  await app.line(/report\.1 lived for \d+ ms/);
  expect(await stop(app)).toBe(130);
  expect(app.text).toMatch(/web\.2 stopped \(1 process, TERM .*, port \d+ is free\)/);
});

test('a function runs in a process of its own, its return ends it, and what it throws is told', async () => {
  const ws = scripted({
    'run.mjs': `${imports}
const proclet = new Proclet();
proclet.service({ tag: 'pid', code: () => console.log(process.pid === Number(process.env.SCRIPT) ? 'same' : 'another') , env: { SCRIPT: process.pid } });
proclet.service({ tag: 'bad', restart: 'never', code: async () => { throw new Error('no luck'); } });
proclet.service({ tag: 'env', code: () => console.log('sees', process.env.PROCLET_CODE ?? 'nothing', process.env.PS) });
console.log('ended with', await proclet.run());`,
  });
  const app = run(ws, 'run.mjs');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'pid.1')).toEqual(['another']);
  expect(linesOf(app, 'env.1')).toEqual(['sees nothing env.1']);
  expect(linesOf(app, 'bad.1').join('\n')).toContain('Error: no luck');
  expect(app.stdout).toContain('ended with 1');
});

test('a function finds its own run in a script that makes two, and may make one itself', async () => {
  const ws = scripted({
    'run.mjs': `${imports}
await new Proclet({ name: 'one' }).service({ tag: 'a', code: () => console.log('first') }).run();
await new Proclet({ name: 'two' }).service({ tag: 'b', code: async () => {
  await new Proclet({ name: 'three', timestamp: false }).service({ tag: 'c', code: 'echo inner' }).run();
} }).run();`,
  });
  const app = run(ws, 'run.mjs');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'a.1')).toEqual(['first']);
  expect(linesOf(app, 'b.1').join('\n')).toMatch(/c\.1 +\| inner/);
});

test('a logger gets every line instead of the output, and events are told by their type', async () => {
  const ws = scripted({
    'run.mjs': `${imports}
const lines = [];
const proclet = new Proclet({ logger: ({ tag, id, stream, text }) => lines.push([tag, id, stream, text]) });
proclet.service({ code: ['sh', '-c', 'echo "$1"; echo zwei >&2', 'sh', 'grün $HOME;'] });
const ends = [];
proclet.on('exited', ({ id, exit }) => ends.push([id, exit.how, exit.code]));
proclet.on('output', ({ text }) => ends.push(text));
const status = await proclet.run();
console.log(JSON.stringify({ status, lines, ends }));`,
  });
  const app = run(ws, 'run.mjs');
  expect(await statusOf(app)).toBe(0);
  const { status, lines, ends } = JSON.parse(app.stdout);
  expect(status).toBe(0);
  expect(lines.sort()).toEqual([
    ['1', '1.1', 'stderr', 'zwei'],
    ['1', '1.1', 'stdout', 'grün $HOME;'],
  ]);
  expect(ends).toContain('grün $HOME;\n');
  expect(ends.at(-1)).toEqual(['1.1', 'code', 0]);
});

test('everything that is wrong is one error, and nothing is started', async () => {
  const ws = scripted({
    'run.mjs': `${imports}
const proclet = new Proclet({ errRespawnInterval: 'soon', name: 'not a name', tll: '1s', spawnInterval: 2 });
proclet.service({ tag: 'web', code: 'touch started', grace: 'x', stopSignal: 'STOP' });
proclet.service({ tag: 'odd', code: 'touch started', envFile: '.env', tll: 1, instances: 3, stopSignl: 'INT', watch: () => 1, ready: { tpc: true } });
proclet.service({ tag: 'none', cmd: 'touch started' });
proclet.service({ tag: 'clock', code: 'touch started', every: 'sometimes', after: ['nobody'] });
await proclet.run().catch((error) => console.log(error.name, error.code, error.message));
try { proclet.service({ tag: 'web', code: 'true' }); } catch (error) { console.log(error.message); }
try { proclet.service({ tag: 'w b', code: 'true' }); } catch (error) { console.log(error.message); }`,
  });
  const app = run(ws, 'run.mjs');
  expect(await statusOf(app)).toBe(0);
  expect(app.stdout).toContain('ProcletError CONFIG');
  for (const part of [
    'services.web.grace must be a duration',
    'services.web.stop-signal must be one of',
    'services.clock.every must be a schedule',
    'errRespawnInterval must be a duration',
    ': tll is not an option (did you mean ttl?)',
    'services.odd.envFile is not an option of a service (a script reads no file of variables; give them with env',
    'services.odd.tll is not an option of a service (did you mean ttl?)',
    'services.odd.instances is not an option of a service (worker says how many of it run)',
    'services.odd.stopSignl is not an option of a service (did you mean stopSignal?)',
    'services.odd.watch cannot be a function',
    'services.odd.ready',
    'services.none.code must be a line for the shell, a list of a program and its arguments, or a function',
    'services.none.cmd is not an option of a service',
    'spawnInterval is not an option',
    "'not a name' is not a name",
    'there is a service web already',
    "'w b' is not a tag",
  ])
    expect(app.stdout).toContain(part);
  expect(() => ws.read('started')).toThrow();
});

test('a script is seen and steered from elsewhere, and its end is that of everything, kill -9 too', async () => {
  const ws = scripted({
    'run.mjs': `${imports}
const proclet = new Proclet();
proclet.service({ tag: 'web', code: 'sleep 1000', worker: 2 });
proclet.service({ tag: 'job', code: () => new Promise(() => setInterval(() => {}, 1000)) });
proclet.on('up', () => console.log('up:', proclet.snapshot().services.flatMap(({ instances }) => instances).length));
await proclet.run();`,
  });
  const app = run(ws, 'run.mjs');
  await app.line('up: 3');
  const proclet = async (...args: string[]) => {
    const command = ws.start(process.execPath, [bin, ...args]);
    expect(await statusOf(command), command.text).toBe(0);
    return command.stdout;
  };
  expect(await proclet('ps')).toMatch(/web\.2 +up[\s\S]*job\.1 +up/);
  await proclet('scale', 'web=3');
  expect(await proclet('ps')).toMatch(/web\.3/);
  app.signal('SIGKILL');
  await app.exited;
  await eventually(() => expect(ws.survivors()).toEqual([]), 5_000);
});

test('a client of the library talks to a run', async () => {
  const ws = scripted({
    Procfile: 'web: sleep 1000',
    'ask.mjs': `import { connect, findRun, liveRuns } from 'proclet';
const { socket } = findRun({ directory: process.cwd() }, liveRuns());
const client = await connect(socket);
const { services } = await client.request({ verb: 'ps' });
console.log(services[0].instances[0].phase);
await client.request({ verb: 'stop' });
client.close();`,
  });
  const app = ws.proclet('start');
  await app.line('web.1 started');
  const ask = run(ws, 'ask.mjs');
  expect(await statusOf(ask), ask.text).toBe(0);
  expect(ask.stdout).toMatch(/^(starting|up)$/m);
  await app.exited;
});
