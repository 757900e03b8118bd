import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment } from './support/environment.js';

const root = resolve(import.meta.dirname, '../src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

/** What each layer may import besides its own folder. A file directly in src/ is named by its path. */
const shared = [
  'model.ts',
  'ports.ts',
  'errors.ts',
  'system-error.ts',
  'close-all.ts',
  'exit-status.ts',
  'gesture.ts',
  'duration.ts',
  'braces.ts',
  'quote.ts',
  'record.ts',
  'address.ts',
  'wire.ts',
  'life-key.ts',
  'grace.ts',
  'target-pattern.ts',
  'schedule.ts',
  'tools.ts',
  'run-part.ts',
  'escapes.ts',
  'secrets.ts',
  'working-directory.ts',
];
const layers: Record<string, readonly string[]> = {
  'model.ts': ['events.ts', 'requests.ts', 'texts.ts'],
  'texts.ts': ['model.ts'],
  'events.ts': ['model.ts'],
  'requests.ts': ['model.ts'],
  'wire.ts': ['model.ts'],
  'life-key.ts': ['model.ts'],
  'grace.ts': ['model.ts'],
  'target-pattern.ts': [],
  'ports.ts': ['model.ts'],
  'errors.ts': ['model.ts'],
  'system-error.ts': [],
  'close-all.ts': [],
  'exit-status.ts': ['model.ts'],
  'gesture.ts': ['model.ts'],
  'duration.ts': ['model.ts'],
  'address.ts': ['model.ts'],
  'braces.ts': [],
  'quote.ts': [],
  'record.ts': [],
  'schedule.ts': [],
  'tools.ts': [],
  'run-part.ts': ['errors.ts'],
  'escapes.ts': ['model.ts'],
  'secrets.ts': ['escapes.ts'],
  'working-directory.ts': ['errors.ts'],
  'configuration.ts': [...shared, 'platform'],
  procfile: shared,
  plan: shared,
  supervisor: shared,
  platform: shared,
  observers: shared,
  network: shared,
  control: shared,
  projects: shared,
  fleet: [...shared, 'platform', 'control', 'network', 'observers', 'inspect.ts'],
  launcher: [...shared, 'projects', 'fleet'],
  'supervision.ts': [...shared, 'supervisor', 'platform', 'network', 'hearing.ts'],
  'hearing.ts': [...shared, 'platform', 'network', 'inspect.ts'],
  'inspect.ts': [...shared, 'platform', 'network'],
  'attachments.ts': [...shared, 'platform', 'observers', 'control', 'inspect.ts', 'configuration.ts', 'supervision.ts'],
  'own-signals.ts': [...shared, 'platform', 'supervision.ts'],
  'reread.ts': [...shared, 'configuration.ts', 'supervision.ts'],
  'runtime.ts': [
    ...[...shared, 'platform', 'observers', 'attachments.ts', 'own-signals.ts', 'configuration.ts', 'reread.ts'],
    'supervision.ts',
  ],
  library: [...shared, 'procfile', 'plan', 'platform', 'observers', 'runtime.ts'],
  'index.ts': [...shared, 'library', 'control', 'platform', 'procfile', 'plan'],
  cli: [
    ...shared,
    'procfile',
    'plan',
    'platform',
    'network',
    'observers',
    'control',
    'inspect.ts',
    'hearing.ts',
    'runtime.ts',
    'projects',
    'fleet',
    'launcher',
    'commands',
  ],
  commands: [
    ...shared,
    'procfile',
    'plan',
    'platform',
    'network',
    'observers',
    'control',
    'projects',
    'fleet',
    'cli',
    'runtime.ts',
  ],
};

/** Which layers may import a package. */
const doors: Record<string, readonly string[]> = {
  execa: ['platform'],
  chokidar: ['platform'],
  ignore: ['platform'],
  'rotating-file-stream': ['observers'],
  chalk: ['observers', 'cli', 'commands'],
  '@oclif/core': ['cli', 'commands'],
  croner: ['schedule.ts'],
  yaml: ['procfile'],
  zod: ['procfile', 'control', 'projects'],
  hono: ['launcher'],
  '@hono/node-server': ['launcher'],
  eta: ['launcher'],
  leven: ['procfile'],
};

const layerOf = (path: string) => path.split('/')[0] ?? path;

function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8');
  const found = text.matchAll(/(?:^import\s[^'"]*?|^export\s[^'"]*?from\s|^import\s|\bimport\()\s*['"]([^'"]+)['"]/gm);
  return [...found].map(([, name]) => name ?? '');
}

describe.each(files)('src/%s', (path) => {
  const layer = layerOf(path);

  test('imports only what its layer may', () => {
    for (const name of importsOf(path)) {
      if (name.startsWith('node:')) continue;
      if (name.startsWith('.')) {
        const target = relative(root, resolve(root, dirname(path), name.replace(/\.js$/, '.ts')));
        const allowed = layerOf(target) === layer || layers[layer]?.includes(layerOf(target));
        expect(allowed, `${path} imports ${target}`).toBe(true);
      } else {
        const door = Object.keys(doors).find((one) => name === one || name.startsWith(`${one}/`));
        expect(door && doors[door]?.includes(layer), `${path} imports ${name}`).toBe(true);
      }
    }
  });

  test('is within the budget of 300 lines', () => {
    expect(readFileSync(join(root, path), 'utf8').split('\n').length).toBeLessThanOrEqual(301);
  });

  // Sentences are for people, and may be improved at any time: what is decided needs a code or a field.
  test('decides nothing by the words of a message', () => {
    const text = readFileSync(join(root, path), 'utf8').replace(/^\s*(\*|\/\/|\/\*).*$/gm, '');
    const asks = String.raw`\)?\??\.(includes|startsWith|endsWith|match|matchAll|search|indexOf)\(`;
    const words = String.raw`\b(message|reason|problem|hint|sentence|notice|(event|line|said|end|one)\.text)\b`;
    // What puts sentences together may look at how one ends.
    if (layer !== 'observers') expect(text).not.toMatch(new RegExp(words + asks));
    expect(text).not.toMatch(new RegExp(String.raw`\.(test|exec)\([^)\n]*${words}`));
    // Node's own word: its error has no code.
    if (path !== 'launcher/server.ts') expect(text).not.toMatch(/\.message (===|!==) /);
    if (/\blinesInFiles\b/.test(text))
      expect(['cli/logged-lines.ts', 'cli/past.ts', 'commands/logs.ts'], 'it reads printed lines').toContain(path);
  });

  test('touches the process, the clock and the timers only where they belong', () => {
    const text = readFileSync(join(root, path), 'utf8').replace(/^\s*(\*|\/\/|\/\*).*$/gm, '');
    if (!['cli', 'commands', 'platform', 'tools.ts'].includes(layer))
      expect(text).not.toMatch(/process\.(env|exit|on)\b/);
    // A socket's own limit is Node's affair.
    if (path !== 'platform/clock.ts')
      expect(text).not.toMatch(/(?<!\bsocket\.)\b(setTimeout|setInterval|Date\.now|performance\.now)\b/);
  });
});

test('the architecture has rules for every layer', () => {
  for (const path of files) expect(Object.keys(layers)).toContain(layerOf(path));
});

describe('what a test starts', () => {
  const tests = resolve(import.meta.dirname);
  const programs = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

  test.each(programs.filter((path) => path !== 'architecture.test.ts'))('%s inherits no environment', (path) => {
    const text = readFileSync(join(tests, path), 'utf8');
    expect(text, 'the environment of this process goes into a child').not.toMatch(/(\.\.\.|\benv: )process\.env\b/);
    if (!text.includes("'node:child_process'")) return;
    const calls = [...text.matchAll(/(?<![.\w])(?:spawn|spawnSync|execFile|execFileSync|exec|execSync|fork)\(/g)];
    // `spawn` may also be the one of src/, whose environment is in what it is given.
    const bare = calls.map(({ index }) => callAt(text, index)).filter((call) => !/\benv\b/.test(call));
    expect(bare, 'use environment() of test/support/environment.ts').toEqual([]);
  });

  test('is in an environment that the tests make', () => {
    const vitests = /^(VITEST|VITEST_\w+|TEST|NODE_ENV|MODE|DEV|PROD|SSR|BASE_URL)$/;
    const others = Object.keys(process.env).filter((name) => !vitests.test(name));
    expect(others.filter((name) => !['PATH', 'TERM', 'TZ', 'TMPDIR', 'PROCLET_CGROUP'].includes(name))).toEqual([]);
    expect(Object.keys(environment()).filter((name) => name !== 'PROCLET_CGROUP')).toEqual(['PATH', 'TERM', 'TZ']);
  });
});

/** The text of a call, up to the bracket that closes it. */
function callAt(text: string, start: number): string {
  let depth = 0;
  for (let at = text.indexOf('(', start); at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(start, at + 1);
  }
  return text.slice(start);
}
