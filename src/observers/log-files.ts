/**
 * The output in files: one for each service that has one, or one for each in a directory, where `proclet.log` is what
 * proclet says itself and `proclet.ends` how services ended, as JSON. A line is `2026-01-31T12:00:00.123Z web.1 | text`, without colours unless they are asked for.
 * Only the user can read them. They grow to a size, and then `web.log.1` is the one before.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { RotatingFileStream } from 'rotating-file-stream';
import { bare, withoutReturns } from '../escapes.js';
import type { Bytes, LogConfig, Millis, Plan, ProcletEvent, Tag } from '../model.js';
import type { Clock, Gate, Observer } from '../ports.js';
import type { RunPart } from '../run-part.js';
import { adviceOn } from '../system-error.js';
import { toBytes } from './bytes.js';
import { endLine, endsName } from './ends.js';
import { ownName, tagOf } from './margin.js';
import { createSentences } from './sentences.js';

export interface Logged {
  readonly plan: Plan;
  /** Gets a file for each service that has none of its own. Absolute. */
  readonly logDirectory: string | undefined;
}

export interface LogFiles extends RunPart<Logged> {
  readonly observe: Observer;
  readonly gate: Gate;
  /** The paths, rotated ones without their numbers. */
  paths(): readonly string[];
  /** Goes on in new files of the same names, once somebody has moved the old ones away. */
  reopen(): void;
  /** Resolves when everything was handed to the system, or at `deadline`, with what was not. */
  close(clock: Clock, deadline: Millis): Promise<readonly Unwritten[]>;
}

/** What a disk that hangs has not taken. */
export interface Unwritten {
  readonly file: string;
  readonly bytes: number;
}

/** The paths of a run's log files, rotated ones without their numbers. */
export function logPathsOf(logged: Logged): readonly string[] {
  return [...configsOf(logged)].flatMap(([name, { file }]) => (name === endsName ? [] : [file]));
}

const defaults = { 'max-size': 10 * 1024 ** 2, backups: 5, colors: false } as const;

/** Of ends the last are enough. */
const endsSize = 256 * 1024;

/** These files belong to no service. A tag has no dot, but may be `proclet`. */
const ownNames: ReadonlySet<string> = new Set([ownName, endsName]);

export function logFileOf(directory: string, name: string): LogConfig {
  return { ...defaults, file: join(directory, `${name}.log`) };
}

/** `warn` gets what went wrong with a file, once for each. */
export function createLogFiles(warn: (problem: string) => void): LogFiles {
  const files = new Map<string, LogFile>();
  /** Tags of services that the last configuration did without: their files are closed by the next one. */
  const gone = new Set<Tag>();
  const ending = new Set<LogFile>();
  const sentencesAbout = createSentences();
  const write = (name: string, at: number, who: string, text: Bytes) => {
    const start = `${new Date(at).toISOString()} ${who} | `;
    files.get(name)?.write(start, text);
  };
  const end = (file: LogFile) => {
    ending.add(file);
    void file.close().then(() => ending.delete(file));
  };
  return {
    observe(event: ProcletEvent) {
      if (files.size === 0) return;
      if (event.type !== 'output') {
        const end = endLine(event);
        if (end !== undefined) files.get(endsName)?.write('', toBytes(end));
        for (const { text } of sentencesAbout(event)) write(ownName, event.at, ownName, toBytes(`${text}\n`));
      } else if (event.end !== 'open') {
        write(tagOf(event.id), event.at, event.id, event.end === 'cut' ? `${event.text}\n` : event.text);
      }
    },
    gate: {
      get isOpen() {
        for (const file of files.values()) if (!file.isOpen) return false;
        return true;
      },
      whenOpen(go) {
        const full = [...files.values()].find((file) => !file.isOpen);
        if (full) full.whenOpen(go);
        else go();
      },
    },
    async prepare(next) {
      const configs = configsOf(next);
      const createStream = configs.size === 0 ? undefined : (await import('rotating-file-stream')).createStream;
      return {
        take() {
          const tags = new Set(next.plan.services.map(({ tag }) => tag));
          for (const [name, file] of files) {
            // The last words of a service that is gone are still to come.
            const isEnding = !ownNames.has(name) && !tags.has(name) && !gone.delete(name);
            if (isEnding) gone.add(name);
            if (isEnding || (file.isWorking && isDeepStrictEqual(file.config, configs.get(name)))) continue;
            files.delete(name);
            end(file);
          }
          if (createStream === undefined) return;
          for (const [name, config] of configs) {
            if (!files.has(name)) files.set(name, new LogFile(config, createStream, warn));
          }
        },
      };
    },
    paths: () => [...files].flatMap(([name, { config }]) => (name === endsName ? [] : [config.file])),
    reopen() {
      for (const file of files.values()) file.reopen();
    },
    async close(clock, deadline) {
      const all = [...files.values(), ...ending];
      const late = new Promise<void>((resolve) => void clock.wakeAt(deadline, resolve));
      await Promise.all(all.map((file) => Promise.race([file.close(), late])));
      return all.flatMap((file) => file.unwritten ?? []);
    },
  };
}

function configsOf({ plan, logDirectory }: Logged): ReadonlyMap<string, LogConfig> {
  const configs = new Map<string, LogConfig>();
  for (const { tag, log } of plan.services) {
    const config = log ?? (logDirectory === undefined ? undefined : logFileOf(logDirectory, tag));
    if (config) configs.set(tag, config);
  }
  if (logDirectory === undefined) return configs;
  if (!configs.has(ownName)) configs.set(ownName, logFileOf(logDirectory, ownName));
  configs.set(endsName, { ...defaults, file: join(logDirectory, endsName), 'max-size': endsSize, backups: 1 });
  return configs;
}

/** What may wait for the disk before the services do. */
const mostWaiting = 1024 * 1024;

/** What comes all the same is kept up to this. */
const mostKept = 4 * mostWaiting;

type CreateStream = typeof import('rotating-file-stream').createStream;

class LogFile {
  readonly config: LogConfig;
  readonly #createStream: CreateStream;
  readonly #warn: (problem: string) => void;
  #stream: RotatingFileStream | undefined;
  #waiting: (() => void)[] = [];
  #isBroken = false;
  #isClosed = false;
  #lost = 0;

  constructor(config: LogConfig, createStream: CreateStream, warn: (problem: string) => void) {
    this.config = config;
    this.#createStream = createStream;
    this.#warn = warn;
    this.#stream = this.#open();
  }

  get isWorking(): boolean {
    return !this.#isBroken;
  }

  get isOpen(): boolean {
    return (this.#stream?.writableLength ?? 0) < mostWaiting || this.#isBroken;
  }

  whenOpen(go: () => void): void {
    this.#waiting.push(go);
  }

  write(start: string, text: Bytes): void {
    if (this.#isBroken) return;
    const lines = (this.config.colors ? text : bare(text)).split('\n').slice(0, -1);
    const whole = lines.map((line) => `${start}${withoutReturns(line)}\n`).join('');
    if ((this.#stream?.writableLength ?? 0) > mostKept) this.#lost += whole.length;
    else this.#stream?.write(Buffer.from(whole, 'latin1'));
  }

  reopen(): void {
    this.#stream?.end();
    this.#isBroken = false;
    this.#stream = this.#open();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#isClosed = true;
        resolve();
      };
      if (this.#isBroken || this.#stream === undefined) return done();
      this.#stream.once('error', done);
      this.#stream.end(done);
      this.#release();
    });
  }

  /** Absent when it was closed with everything in it. */
  get unwritten(): Unwritten | undefined {
    const bytes = this.#lost + (this.#isClosed ? 0 : (this.#stream?.writableLength ?? 0));
    return this.#isClosed && bytes === 0 ? undefined : { file: this.config.file, bytes };
  }

  #open(): RotatingFileStream | undefined {
    const { file, backups, 'max-size': size } = this.config;
    const [path, name] = [dirname(file), basename(file)];
    // With `rotate` it is asked for the name of each number, and for that of the file itself without one.
    const next = (number: number | Date) => (number ? `${name}.${number}` : name);
    try {
      makeDirectory(path);
    } catch (error) {
      this.#break(error as Error);
      return undefined;
    }
    try {
      if (lstatSync(file).isFile()) chmodSync(file, 0o600);
    } catch {
      // ENOENT: the usual case. What else is wrong with the file is told when it is opened.
    }
    const stream = this.#createStream(next, {
      path,
      size: `${size}B`,
      mode: 0o600,
      // Without numbers files of the past have dates for names, and stay.
      rotate: Math.max(1, backups),
    });
    if (backups === 0) stream.on('rotated', (old: string) => removeOld(old));
    stream.on('error', (error) => {
      if (stream === this.#stream) this.#break(error);
    });
    stream.on('drain', () => this.#release());
    return stream;
  }

  #break(error: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    removeIfEmpty(this.config.file);
    this.#warn(
      `${this.config.file} cannot be written, so nothing more goes there until proclet gets USR1: ${adviceOn(error)}`,
    );
    this.#release();
  }

  #release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** Of one that keeps no files of the past. */
function removeOld(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // ENOENT: gone; EACCES, EROFS: the next one takes its place
  }
}

/** On a full disk a file can be made, and nothing be written to it. */
function removeIfEmpty(file: string): void {
  try {
    const found = lstatSync(file); // never a device: that is empty by its nature
    if (found.isFile() && found.size === 0) unlinkSync(file);
  } catch {
    // ENOENT: it could not be made
  }
}

/** Not by `recursive`, which never ends where the system says of a directory that is there that it is not, as in /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}
