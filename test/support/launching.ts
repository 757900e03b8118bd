/** A real launcher of a workspace, and requests to it as a program or a browser makes them. */
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { baseOf } from '../../src/network/free-port.js';
import { formatRegistry } from '../../src/projects/registry.js';
import { firstUnclaimed } from './port-blocks.js';
import type { App, Workspace } from './workspace.js';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface Launching {
  readonly app: App;
  readonly port: number;
  /** `path` at the launcher, or at a name such as `hoge.localhost`. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, headers: Record<string, string>, body: string): Promise<Answer>;
  /** The answer of a service, after all redirects. */
  visit(path: string): Promise<string>;
  act(form: Record<string, string>): Promise<Answer>;
}

/** A directory of the workspace with these files, whose own ports are not those of other tests, or begin where they are to. */
export function projectIn(ws: Workspace, name: string, files: Record<string, string>, base?: number): string {
  for (let n = 1; ; n += 1) {
    const directory = join(ws.directory, `${name}-${n}`);
    const found = baseOf(directory);
    if (base === undefined ? found < firstUnclaimed : found !== base) continue;
    mkdirSync(directory);
    for (const [path, text] of Object.entries(files)) ws.write(`${name}-${n}/${path}`, text);
    return directory;
  }
}

/** As `proclet project add` does, without a process for each. */
export function register(ws: Workspace, roots: Readonly<Record<string, string>>): void {
  const projects = Object.entries(roots).map(([name, root]) => ({ name, root }));
  ws.write('.config/proclet/projects.json', formatRegistry(projects));
}

/** Registers projects by their names, with files that are made or in a directory, then starts the launcher. */
export async function launcherOf(
  ws: Workspace,
  projects: Readonly<Record<string, Record<string, string> | string>>,
  ...flags: string[]
): Promise<Launching & { readonly roots: Readonly<Record<string, string>> }> {
  const roots = Object.fromEntries(
    Object.entries(projects).map(([name, files]) => [
      name,
      typeof files === 'string' ? files : projectIn(ws, name, files),
    ]),
  );
  register(ws, roots);
  const { port } = ws;
  const app = ws.proclet('launcher', '--port', String(port), ...flags);
  await app.line('The launcher is at');
  const send: Launching['send'] = (method, path, headers, body) => ask(method, port, path, headers, body);
  const get: Launching['get'] = (path, headers = {}) => send('GET', path, headers, '');
  return {
    ...{ app, port, get, send, roots },
    async visit(path) {
      const { status, headers, text } = await get(path);
      if (status !== 302) throw new Error(`${status}: ${text}`);
      const { port: at = '', pathname } = new URL(headers.location ?? '');
      return (await ask('GET', Number(at), pathname, {}, '')).text;
    },
    async act(form) {
      const token = /data-token="([^"]+)"/.exec((await get('/')).text)?.[1] ?? '';
      const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
      return send('POST', '/act', headers, new URLSearchParams({ token, ...form }).toString());
    },
  };
}

function ask(
  method: string,
  port: number,
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const own = { host: `localhost:${port}`, connection: 'close', ...headers };
    const request = http.request({ host: '127.0.0.1', port, method, path, headers: own }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('error', reject).end(body);
  });
}
