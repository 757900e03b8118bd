/**
 * What runs on this machine, as the operating system shows it: in /proc, else by `ps`, else only whether a process
 * group has anything in it. Only reads; who belongs to a service is decided in membership.ts. What cannot be read,
 * although it is there, is thrown: it is not to be taken for a process that has ended.
 */
import { groupTable } from './group-table.js';
import { procTable } from './proc-table.js';
import { psTable } from './ps-table.js';
import { keepSpareDescriptor } from './spare-descriptor.js';

export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** One letter, as in `ps`. The dead (Z, X) are never listed: they only wait to be reaped. */
  readonly state: string;
  /** When it started, in the system's own unit: with the pid, an identity that is never used twice. */
  readonly started: string;
  /** How proclet marks what it starts (see mark.ts): a life, a guardian, or that it was let go. */
  readonly mark?: string;
  /** The pipes without a name that it has open, by `pipeKey`, where no mark says more. */
  readonly pipes?: readonly string[];
}

export type Processes = ReadonlyMap<number, ProcessRow>;

export interface Newcomers {
  readonly rows: ProcessRow[];
  /** How many were dead before they could be read: somebody starts processes faster than they are looked at. */
  readonly missed: number;
}

export interface ProcessTable {
  /** Every live process, now. */
  read(): Map<number, ProcessRow>;
  /**
   * The processes whose pid is not in `seen`; adds what it looked at to `seen`. Fast enough to be repeated.
   * `meet` is called with each as it is found: in a program that goes on in new processes it lives for moments.
   */
  readNew(seen: Set<number>, meet?: (row: ProcessRow) => void): Newcomers;
  /** One process, now; undefined when it is gone. */
  find(pid: number): ProcessRow | undefined;
  /** Whether it is still the process that was seen: same pid, same start. */
  isSame(row: ProcessRow): boolean;
  /** Whether a signal does nothing to a process because it ignores it; false where that cannot be known. */
  ignores(pid: number, signal: NodeJS.Signals): boolean;
  /** The command line for people, at most 80 characters. */
  command(pid: number): string;
}

/** Where processes are looked for, best first; in the last of them only process groups can be told. */
export type TableKind = 'proc' | 'ps' | 'groups';

const tables = { proc: procTable, ps: psTable, groups: groupTable };

/** The best that knows this very process: a system may have no /proc, or one that is empty, and no `ps`. */
export function tableKind(): TableKind {
  if (procTable.find(process.pid) !== undefined) return 'proc';
  return psTable.find(process.pid) === undefined ? 'groups' : 'ps';
}

let kind: TableKind | undefined;

export function createProcessTable(): ProcessTable {
  keepSpareDescriptor();
  kind ??= tableKind();
  return tables[kind];
}
