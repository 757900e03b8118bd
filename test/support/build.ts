import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** Some tests run the built command line, so it is built first: once, however many projects of them there are. */
export default function build(): void {
  if (process.env['PROCLET_TEST_BUILD'] === String(process.pid)) return;
  process.env['PROCLET_TEST_BUILD'] = String(process.pid);
  execFileSync(process.execPath, ['build.mjs'], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'] },
    stdio: 'inherit',
  });
}
