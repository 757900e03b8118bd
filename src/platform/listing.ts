/**
 * By what others find a run: its record, and the claim of its project. They lie where other programs tidy up (a logout,
 * systemd-tmpfiles), and are made again when they were removed while the run lives, with whatever else is to be kept.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ProcletError } from '../errors.js';
import type { Clock } from '../ports.js';
import { describeTrouble } from '../system-error.js';
import { clearDrafts } from './drafts.js';
import { type Kept, keepThere } from './keep-there.js';
import type { ProcessTable } from './process-table.js';
import { claimPath, claimProject } from './runs.js';
import { type RunRecord, removeRecord, runtimeDirectory, writeRecord } from './runtime-dir.js';

export interface Listing {
  /** The record; '' where there could be none. */
  readonly record: string;
  /** Others are to know this of the run from now on. */
  update(record: RunRecord): void;
  /** From now on what is removed is made again, this too, and that is said. */
  keep(besides: readonly Kept[], notice: (text: string) => void): void;
  /** Nothing is made again any more. */
  leave(): void;
  /** Gives the claim back. */
  release(): void;
  /** Removes the record. */
  forget(): void;
}

export interface ListingTools {
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly warn: (text: string) => void;
}

/** Throws ProcletError when another `start` of the project runs. */
export function openListing(first: RunRecord, { clock, table, warn }: ListingTools): Listing {
  let current = first;
  let leave = () => {};
  const opened = list(first, table, warn);
  if (opened === undefined) {
    return { record: '', update() {}, keep() {}, leave() {}, release() {}, forget() {} };
  }
  const { path } = opened;
  const directory = dirname(path);
  let { release } = opened;
  const record: Kept = {
    isThere: () => existsSync(path),
    remake: () => void writeRecord(runtimeDirectory(), current),
  };
  const claim: Kept = {
    isThere: () => existsSync(claimPath(directory, current)),
    remake() {
      release = claimProject(runtimeDirectory(), current);
    },
  };
  return {
    record: path,
    update(next) {
      current = next;
      try {
        record.remake();
      } catch (error) {
        warn(`the record of this run does not say what others are to know of it: ${describeTrouble(error)}`);
      }
    },
    keep(besides, notice) {
      // The record first: without it a claim counts for nothing.
      const kept = [record, ...(first.command === 'start' ? [claim] : []), ...besides];
      leave = keepThere(directory, kept, {
        clock,
        remade: () => notice(`what other commands find this run by was removed from ${directory}, and is there again`),
        failed: (error) =>
          notice(
            `other commands do not find this run any more: ${describeTrouble(error)}; kill -TERM ${first.pid} ends it`,
          ),
      });
    },
    leave: () => leave(),
    release: () => release(),
    forget: () => removeRecord(path),
  };
}

function list(record: RunRecord, table: ProcessTable, warn: ListingTools['warn']) {
  try {
    const directory = runtimeDirectory();
    clearDrafts(directory, table);
    const path = writeRecord(directory, record);
    try {
      return { path, release: record.command === 'start' ? claimProject(directory, record) : () => {} };
    } catch (error) {
      removeRecord(path);
      throw error;
    }
  } catch (error) {
    if (error instanceof ProcletError && error.code === 'REFUSED') throw error;
    const text = `the other commands will not know of this run: ${describeTrouble(error)}`;
    warn(`${text}; kill ${record.pid} ends it and its services`);
    return undefined;
  }
}
