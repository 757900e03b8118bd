/** Starts a program that outlives us, and hears whether it got going. */
import { spawn } from 'node:child_process';

/** Its pid, once it has sent a message; or its exit status, if it ends before. Its output goes to the descriptor. */
export function spawnDetached(
  program: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  output: number,
): Promise<{ readonly pid: number } | { readonly status: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { detached: true, stdio: ['ignore', output, output, 'ipc'], env });
    child.once('error', reject);
    child.once('exit', (code) => resolve({ status: code ?? 1 }));
    child.once('message', () => {
      child.disconnect();
      child.unref();
      resolve({ pid: child.pid ?? 0 });
    });
  });
}
