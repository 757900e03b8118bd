/**
 * Builds dist/: the command line as one CommonJS file (one file starts faster than hundreds), the guardian's
 * program as another, the library as one ES module, and the library's types.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { lazyRequires } from './scripts/lazy-requires.mjs';

mkdirSync('dist', { recursive: true });

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
  legalComments: 'none',
  write: false,
  // oclif asks for these only when it runs TypeScript sources
  external: ['typescript', 'ts-node', 'tsx'],
};

const built = await Promise.all([
  build({
    ...shared,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/proclet.cjs',
    format: 'cjs',
    minify: true,
    keepNames: true,
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'importMetaUrl', 'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"' },
    plugins: [lazyRequires],
  }),
  build({
    ...shared,
    entryPoints: ['src/platform/guardian-program.ts'],
    outfile: 'dist/guardian.cjs',
    format: 'cjs',
    minify: true,
    // Of guardian.ts it has types alone, and no place of its own: Node reads it from standard input.
    define: { 'import.meta.url': 'undefined' },
  }),
  build({
    ...shared,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  }),
]);

// Each file appears whole, so that what runs from dist/ meanwhile never meets half of one.
for (const { path, contents } of built.flatMap(({ outputFiles }) => outputFiles)) {
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}

execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--declaration', '--emitDeclarationOnly'], {
  stdio: 'inherit',
});
