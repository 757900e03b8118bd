/** Memory and processor time of processes, as the system counts them: /proc on Linux, `ps` elsewhere. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Usage } from '../model.js';
import { toolEnv } from '../tools.js';

/** proc(5): times are in hundredths of a second wherever Linux runs, memory in pages. */
const tick = 10;
let page: number | undefined;

export function usageOf(pids: readonly number[]): Pick<Usage, 'memory' | 'cpu'> {
  if (process.platform !== 'linux') return fromPs(pids);
  let [memory, cpu] = [0, 0];
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpu += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tick;
    memory += Number(fields[21] ?? 0) * pageSize();
  }
  return { memory, cpu };
}

/** The kernel's page size: a process's resident pages against its resident kilobytes. */
function pageSize(): number {
  if (page === undefined) {
    const kilobytes = Number(/^KernelPageSize: +(\d+)/m.exec(read('/proc/self/smaps'))?.[1] ?? 4);
    page = kilobytes * 1024;
  }
  return page;
}

function fromPs(pids: readonly number[]): Pick<Usage, 'memory' | 'cpu'> {
  if (pids.length === 0) return { memory: 0, cpu: 0 };
  let text = '';
  try {
    text = execFileSync('ps', ['-o', 'rss=,time=', '-p', pids.join(',')], { encoding: 'utf8', env: toolEnv() });
  } catch {
    // They are gone.
  }
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  return {
    memory: rows.reduce((sum, [rss]) => sum + Number(rss ?? 0) * 1024, 0),
    cpu: rows.reduce((sum, [, time = '']) => sum + seconds(time) * 1000, 0),
  };
}

/** `1-02:03:04`, `02:03.45` */
function seconds(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse();
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part || 0), 0) + Number(days) * 86_400;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // gone, or not ours to read
  }
}
