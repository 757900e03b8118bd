/**
 * An esbuild plugin: what oclif's files require is loaded when it is first used, and not with the file. A command uses a
 * tenth of it.
 *
 * The files are what TypeScript makes of imports: `const NAME = require(…)`, and NAME is always used as `NAME.member`.
 * The declaration becomes a function that requires once, each use a call of it. Nothing in them depends on the order.
 */
import { readFile } from 'node:fs/promises';

const value = String.raw`(?:tslib_1\.)?(?:__importDefault|__importStar)\(require\("[^"]+"\)\)|require\("[^"]+"\)`;
const declaration = new RegExp(String.raw`^(?:const|var|let) (\w+) = (${value});$`, 'gm');
const reexport = new RegExp(String.raw`^exports\.(\w+) = (${value});$`, 'gm');

export const lazyRequires = {
  name: 'lazy-requires',
  setup(build) {
    build.onLoad({ filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => ({
      contents: lazily(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};

function lazily(text) {
  const names = [...text.matchAll(declaration)].map(([, name]) => name);
  const source = text
    .replace(reexport, 'Object.defineProperty(exports, "$1", { enumerable: true, get: () => $2 });')
    .replace(declaration, 'let $1$made; function $1$() { return ($1$made ??= $2); }');
  if (names.length === 0) return source;
  const use = new RegExp(String.raw`(?<![\w$.'"/-])(${names.join('|')})(?=[.,;()])`, 'g');
  return source.replace(use, '($1$())');
}
