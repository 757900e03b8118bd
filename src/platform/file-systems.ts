/** File systems whose changes may be made elsewhere, where no kernel of ours sees them. */
import { statfsSync } from 'node:fs';

/** statfs(2), linux/magic.h. */
const shared: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x0102_1997, '9p'],
  [0x786f_4256, 'vboxsf'],
  [0x6573_5546, 'FUSE'],
  [0x517b, 'SMB'],
  [0xff53_4d42, 'CIFS'],
  [0xfe53_4d42, 'SMB'],
  [0x00c3_6400, 'Ceph'],
]);

/** The name of the shared file system that a path is on; undefined on one of this machine's own. */
export function sharedFileSystem(path: string, typeOf: (path: string) => number = typeByStatfs): string | undefined {
  try {
    return shared.get(typeOf(path) >>> 0);
  } catch {
    return undefined; // ENOENT: it may come later
  }
}

function typeByStatfs(path: string): number {
  return process.platform === 'linux' ? statfsSync(path).type : 0;
}
