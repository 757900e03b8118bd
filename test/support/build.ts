import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** The end-to-end tests run the built command line, so build it first. */
export default function build(): void {
  execFileSync(process.execPath, ['build.mjs'], { cwd: resolve(import.meta.dirname, '../..'), stdio: 'inherit' });
}
