/** What whoever comes by a name gets that no project, or no service of it, has: the page's clothes, and the names that there are. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { labelOf } from '../projects/registry.js';
import { nameOf } from './places.js';
import type { LauncherParts } from './ports.js';
import { refuse } from './sites.js';

/** It loads nothing but its own style and picture, and sends nothing. */
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Files of the page, which are the same at every name. */
const shared = new Set(['/.proclet/launcher.css', '/.proclet/icon.svg']);

export function isShared({ url = '' }: IncomingMessage): boolean {
  return shared.has(url);
}

/** `labels`: those before `localhost`. */
export function answerUnknown(
  request: IncomingMessage,
  response: ServerResponse,
  labels: readonly string[],
  { projects, pages, port, near }: LauncherParts,
): void {
  if (!(request.headers.accept ?? '').includes('text/html')) {
    refuse(response, 404, 'No project, or no service of it, has this name.');
    return;
  }
  if (response.headersSent || response.destroyed) return;
  const asked = labels.join('.');
  const names = projects.all.flatMap((project) => project.services.flatMap(({ tag }) => nameOf(project, tag) ?? []));
  const known = [...new Set([...projects.all.map(({ name }) => labelOf(name)), ...names])];
  const nearest = near(asked, known);
  const there = known.length === 0 ? 'No project is registered.' : `There are ${known.join(', ')}.`;
  const page = pages.render('message', {
    title: `Nothing here is called ${asked}`,
    text: nearest === undefined ? there : `${nearest} ${there}`,
    link: { href: `http://localhost:${port}/`, text: 'All projects' },
  });
  response
    .writeHead(404, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'cache-control': 'no-store',
    })
    .end(page);
}
