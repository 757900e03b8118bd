/** The pages, from the templates beside them. Everything that is filled in is escaped there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import { formatDuration } from '../duration.js';
import type { BoardGroup } from './board.js';

export interface Pages {
  /** A page's name is that of its template. */
  render(name: PageName, data: object): string;
  /** A project as it stands on the page: a part of `board`. */
  group(group: BoardGroup, token: string): string;
  /** A file of the page, or undefined when there is none of this name. */
  asset(name: string): { readonly body: string; readonly type: string } | undefined;
}

export type PageName = 'board' | 'booting' | 'failed' | 'log' | 'message';

/** Nothing else in the directory is served. */
const assets: Readonly<Record<string, string>> = {
  'launcher.css': 'text/css; charset=utf-8',
  'board.js': 'text/javascript; charset=utf-8',
  'booting.js': 'text/javascript; charset=utf-8',
  'log.js': 'text/javascript; charset=utf-8',
  'ansi.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

export function createPages(directory: string): Pages {
  const eta = new Eta({ views: directory, cache: true, varName: 'it' });
  const words = { memory: memoryInWords, left: formatDuration };
  const texts = new Map<string, string>();
  return {
    render: (name, data) => eta.render(`./${name}`, { ...words, ...data }),
    // Blanks between elements are elements for a browser, too: many for many projects.
    group: (group, token) => eta.render('./group', { ...words, group, token }).replace(/>\s+</g, '><'),
    asset(name) {
      const type = Object.hasOwn(assets, name) ? assets[name] : undefined;
      if (type === undefined) return undefined;
      const body = texts.get(name) ?? readFileSync(join(directory, name), 'utf8');
      texts.set(name, body);
      return { body, type };
    },
  };
}

function memoryInWords(bytes: number): string {
  const mega = bytes / 1024 / 1024;
  return mega >= 1024 ? `${(mega / 1024).toFixed(1)} GB` : `${mega < 10 ? mega.toFixed(1) : Math.round(mega)} MB`;
}
