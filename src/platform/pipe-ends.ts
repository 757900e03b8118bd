/** Which ends of a pipe are open, as /proc/PID/fdinfo shows, proc(5). */
import { constants, readFileSync } from 'node:fs';
import { descriptorsOf, namelessPipe } from './proc-table.js';
import { isGoneOrForeign, withSpareDescriptor } from './spare-descriptor.js';

export type PipeEnd = 'read' | 'write';

/** Of these pipes, by `pipeKey`, the ones that none of the processes has open by any other end than this. */
export function desertedOf(pipes: ReadonlyMap<string, PipeEnd>, pids: Iterable<number>): Set<string> {
  const deserted = new Set(pipes.keys());
  for (const pid of pids) {
    for (const path of descriptorsOf(pid)) {
      const key = namelessPipe(path);
      if (key !== undefined && deserted.has(key) && endAt(path) !== pipes.get(key)) deserted.delete(key);
    }
  }
  return deserted;
}

/** Undefined where both are open, or it is not known. */
function endAt(descriptor: string): PipeEnd | undefined {
  try {
    const info = withSpareDescriptor(() => readFileSync(descriptor.replace('/fd/', '/fdinfo/'), 'latin1'));
    const flags = Number.parseInt(/^flags:\t(\d+)$/m.exec(info)?.[1] ?? '3', 8) & 3;
    return flags === constants.O_RDONLY ? 'read' : flags === constants.O_WRONLY ? 'write' : undefined;
  } catch (error) {
    if (!isGoneOrForeign(error)) throw error;
    return undefined;
  }
}
