/** Where the number of a process means something: this boot of the machine, and this pid namespace. */
import { readFileSync, readlinkSync } from 'node:fs';

/** Names this boot of the machine; '' where the system does not. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return ''; // ENOENT: not Linux
  }
}

/** Names the pid namespace of this process: pids of another one mean nothing here. '' where there are none. */
export function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return ''; // ENOENT: not Linux
  }
}
