/** What the network side of a run may ask of its supervisor and its platform. Types only. */
import type { InstanceId, Tag } from '../model.js';
import type { Life } from '../ports.js';
import type { Ids } from './socket-file.js';

/** What the gateway asks of the run. */
export interface Keeper {
  /** Resolves when there is an instance for an access: one that is up, and of a fresh life where that is asked for. */
  wake(tag: Tag): Promise<void>;
  upLives(tag: Tag): readonly Life[];
  pidsOf(tag: Tag): readonly number[];
  ready(life: Life): void;
  notice(text: string): void;
  /** Whether a process is of a service of this run. */
  isOurs(pid: number): boolean;
  /** Numbers of `user`, `user:group` or `:group`. Rejects with a ProcletError for one that cannot be had. */
  idsOf(owner: string): Promise<Ids>;
  /** A text as everybody on this machine may read it. */
  mask(text: string): string;
  /** The last lines that an instance printed, as text. */
  lastWords(id: InstanceId): readonly string[];
}
