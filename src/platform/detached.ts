/** Starts a program that outlives us, gives it its job, and hears whether it got going. */
import { spawn } from 'node:child_process';

export type Outcome = { readonly pid: number } | { readonly status: number };

export interface Waiting {
  /** Its pid, once it has sent a message; or its exit status, if it ends before. */
  give(job: object): Promise<Outcome>;
  /** It is not needed: resolves when it is gone. */
  close(): Promise<void>;
}

/** Its output goes to the descriptor. It must end when it is disconnected before it has a job. */
export function spawnWaiting(
  program: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  output: number,
): Waiting {
  const child = spawn(program, argv, { detached: true, stdio: ['ignore', output, output, 'ipc'], env });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve({ status: code ?? 1 }));
    child.once('message', () => {
      child.disconnect();
      resolve({ pid: child.pid ?? 0 });
    });
  });
  outcome.catch(() => {}); // told to whoever gives it a job
  const letGo = () => {
    child.unref();
    child.channel?.unref();
  };
  letGo();
  return {
    give(job) {
      child.ref();
      child.channel?.ref();
      if (child.connected) child.send(job);
      return outcome.finally(letGo);
    },
    async close() {
      child.ref();
      child.kill('SIGKILL'); // it has nothing yet
      await outcome.catch(() => {});
    },
  };
}
