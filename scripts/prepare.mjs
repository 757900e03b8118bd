/**
 * Builds dist/ when npm prepares the package. A clone that `npm install --global .` is given has none of what the build
 * needs; that is installed first, into the clone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (!existsSync('node_modules/esbuild')) {
  // What npm was told of the global installation is not meant for this one.
  const environment = Object.entries(process.env).filter(
    ([name]) => !/^npm_config_(global|prefix|location)$/i.test(name),
  );
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    env: Object.fromEntries(environment),
    stdio: 'inherit',
  });
}
await import('../build.mjs');
