import { describe, expect, test } from 'vitest';
import { assignPorts, type PortClaim, readBasePort } from '../../../src/plan/assign-ports.js';

/** Claims such as `web*2` or `db@9022`; the position is the place in the list. */
function claims(...texts: string[]): PortClaim[] {
  return texts.map((text, position) => {
    const [, tag = '', count = '1', fixed] = /^(\w+)(?:\*(\d+))?(?:@(\d+))?$/.exec(text) ?? [];
    return { tag, position, line: position + 1, count: Number(count), fixed: fixed ? Number(fixed) : undefined };
  });
}

function assign(base: number, ...texts: string[]): Record<string, readonly number[]> {
  const ports = assignPorts(claims(...texts), base, 'Procfile');
  if (!ports.ok) throw new Error(ports.problems.map(({ message }) => message).join('; '));
  return Object.fromEntries(ports.value);
}

describe('assignPorts', () => {
  test('counts 100 for each position and 1 for each instance', () => {
    expect(assign(5000, 'web*2', 'worker', 'css*3')).toEqual({
      web: [5000, 5001],
      worker: [5100],
      css: [5200, 5201, 5202],
    });
  });

  test('counts what is left out, so that nobody moves', () => {
    const selected = claims('web', 'worker', 'css').filter(({ tag }) => tag !== 'worker');
    const ports = assignPorts(selected, 3000, 'Procfile');
    expect(ports.ok && [...ports.value]).toEqual([
      ['web', [3000]],
      ['css', [3200]],
    ]);
  });

  test('a fixed port counts up from itself and keeps its position from others', () => {
    expect(assign(5000, 'web', 'psgi*2@9022', 'css')).toEqual({ web: [5000], psgi: [9022, 9023], css: [5200] });
  });

  test('fills a whole block, and the last port there is', () => {
    expect(assign(5000, 'web*100', 'css')['web']?.at(-1)).toBe(5099);
    expect(assign(65_535, 'web')).toEqual({ web: [65_535] });
  });

  test('lets a fixed port have more than a block', () => {
    expect(assign(5000, 'web*101@20000')['web']).toHaveLength(101);
  });

  test.each([
    [
      5000,
      ['web*101'],
      '1: 101 instances of web do not fit into its 100 ports (run at most 100 of it, or give it a port in proclet.yml)',
    ],
    [65_500, ['web', 'db'], '2: db.1 would get port 65600, and the highest is 65535 (start lower with --port)'],
    [
      5000,
      ['web*2@65535'],
      '1: web.2 would get port 65536, and the highest is 65535 (give it a lower port in proclet.yml)',
    ],
    [
      5000,
      ['web*2', 'db@5001'],
      '2: web.2 and db.1 would both get port 5001 (give one of them another port in proclet.yml, or move all with --port)',
    ],
    [
      5000,
      ['web@5100', 'db'],
      '2: web.1 and db.1 would both get port 5100 (give one of them another port in proclet.yml, or move all with --port)',
    ],
  ])('from %d, %j is refused', (base, texts, problem) => {
    const ports = assignPorts(claims(...texts), base, 'Procfile');
    expect(ports.ok ? [] : ports.problems.map(({ line, message, hint }) => `${line}: ${message} (${hint})`)).toEqual([
      problem,
    ]);
  });

  test('a service that collides with every instance of another is one problem', () => {
    const ports = assignPorts(claims('a*50@7000', 'b*50@7000', 'c@7000'), 5000, 'Procfile');
    expect(ports.ok ? [] : ports.problems.map(({ line }) => line)).toEqual([2, 3]);
  });
});

describe('readBasePort', () => {
  test.each([
    ['the env file before the environment', { PORT: '3000' }, { PORT: '4000' }, 3000],
    ['the environment when the env file has none', {}, { PORT: '4000' }, 4000],
    ['the environment when that of the env file is empty', { PORT: '' }, { PORT: '4000' }, 4000],
    ['5000 when nobody says', {}, { PORT: undefined }, 5000],
  ])('is %s', (_, dotenv, env, port) => {
    expect(readBasePort({ dotenv, env })).toEqual({ ok: true, value: port });
  });

  test.each([
    ['the env file', { PORT: 'abc' }, { PORT: '4000' }, "PORT: 'abc' is not a port; write a number from 1 to 65535"],
    ['the environment', {}, { PORT: '99999' }, "PORT: '99999' is not a port; write a number from 1 to 65535"],
  ])('names %s when it is unusable there', (path, dotenv, env, message) => {
    expect(readBasePort({ dotenv, env })).toMatchObject({ ok: false, problems: [{ path, message }] });
  });
});
