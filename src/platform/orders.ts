/** Whom in a tree a signal goes to. */
import type { ProcessRow, ProcessTable } from './process-table.js';
import { send } from './survivors.js';

export interface Order {
  readonly signal: NodeJS.Signals;
  /** The rest is all but the leader. */
  readonly to: 'leader' | 'rest' | 'tree';
}

/** Sends what was asked for, then SIGCONT to what is stopped: a stopped process cannot act on a signal. */
export function deliver(
  orders: readonly Order[],
  leader: number,
  members: readonly ProcessRow[],
  table: ProcessTable,
): void {
  for (const { signal, to } of orders) {
    // Where only groups can be told, that of the leader stands for it.
    const isMeant = ({ pid }: ProcessRow) => to === 'tree' || (Math.abs(pid) === leader) === (to === 'leader');
    for (const row of members.filter(isMeant)) {
      send(row, signal, table);
      if (row.state === 'T') send(row, 'SIGCONT', table);
    }
  }
}
