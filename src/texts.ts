/**
 * The vocabulary's first part: what a user writes, in files and as flags. Types only. Everybody imports it through
 * model.ts.
 */
import type { Millis, Tag } from './model.js';

// ---------------------------------------------------------------- text

/** One `tag: command` line. */
export interface Entry {
  readonly tag: Tag;
  readonly command: string;
  /** 1-based. */
  readonly line: number;
}

export interface Procfile {
  readonly path: string;
  readonly entries: readonly Entry[];
}

/** One thing wrong with a text, and where. */
export interface Problem {
  readonly path: string;
  /** 1-based; absent when the whole file is meant. */
  readonly line?: number;
  /** 1-based, in characters; absent where only the line is known. */
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

/** Both 1-based; the column in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What a parser answers: the value, or everything that is wrong with the text. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** What there is besides, so that more problems can be found at once. */
      readonly rest?: T;
    };

/** A Unix socket, and who may connect: without a mode the user alone. */
export interface SocketAddress {
  readonly path: string;
  /** Permission bits. */
  readonly mode?: number;
  /** `user`, `user:group` or `:group`. */
  readonly owner?: string;
}

/** A public address: TCP, or a Unix socket. */
export type Address = { readonly host: string; readonly port: number } | SocketAddress;

/** What counts as use of a service: accesses to its ports, its output, or nothing. */
export type IdleOn = 'access' | 'output' | 'none';

/** When a service starts: with the run, at the first access, or when it is named or needed. */
export type StartPolicy = 'always' | 'on-access' | 'manual';

/** How a service shows that it is ready, and how long it may take. */
export type Ready = { readonly timeout: Millis } & (
  | { readonly kind: 'tcp' }
  | { readonly kind: 'http'; readonly path: string }
  /** A regular expression for a line of its output. */
  | { readonly kind: 'log'; readonly pattern: string }
  /** A line for the shell, which exits with 0. */
  | { readonly kind: 'command'; readonly command: string }
);

export type RestartPolicy = 'always' | 'on-failure' | 'never';

/** What follows a change: a new life after the old one, beside the old one, or at the next access. */
export type ReloadPolicy = 'restart' | 'handover' | 'shotgun';

/** Whom the stop signal goes to first: the leader, which knows how its processes finish their work, or every process. */
export type StopPolicy = 'leader' | 'tree';

/** What `proclet.yml` says about one service; durations are parsed, everything else is as written. */
export interface ServiceConfig {
  readonly ttl?: Millis;
  readonly restart?: RestartPolicy;
  /** `Infinity`: no limit. */
  readonly 'start-attempts'?: number;
  readonly 'success-exit-status'?: readonly number[];
  readonly 'stop-signal'?: NodeJS.Signals;
  readonly stop?: StopPolicy;
  readonly grace?: Millis;
  readonly env?: Readonly<Record<string, string>>;
  /** The later ones win. */
  readonly 'env-file'?: readonly string[];
  readonly directory?: string;
  readonly umask?: string;
  readonly user?: string;
  readonly instances?: number;
  /** `false`: it gets none. */
  readonly port?: number | false;
  readonly detach?: readonly string[];
  readonly idle?: Millis;
  readonly 'idle-on'?: IdleOn;
  readonly start?: StartPolicy;
  /** As in crontab(5). */
  readonly every?: string;
  readonly listen?: readonly Address[];
  readonly 'proxy-protocol'?: boolean;
  readonly ready?: Ready;
  readonly after?: readonly Tag[];
  /** Patterns as in `.gitignore`, or paths. */
  readonly watch?: readonly string[];
  readonly 'watch-poll'?: Millis;
  readonly reload?: ReloadPolicy;
  readonly 'reload-signal'?: NodeJS.Signals;
  readonly 'reload-every'?: Millis;
  readonly 'kill-old-delay'?: Millis;
  readonly 'status-file'?: string;
  readonly 'env-dir'?: string;
  readonly settle?: Millis;
  readonly tty?: boolean;
  readonly log?: LogConfig;
}

/** Where the output of a service is kept. Sizes in bytes. */
export interface LogConfig {
  readonly file: string;
  readonly 'max-size': number;
  readonly backups: number;
  readonly colors: boolean;
}

export interface Config {
  readonly path: string;
  /** Long flag names and their texts, as if typed. */
  readonly defaults: Readonly<Record<string, Given>>;
  readonly services: Readonly<Record<Tag, ServiceConfig>>;
  /** Where each service's key is, for messages about it. */
  readonly places: Readonly<Record<Tag, Place>>;
}

// ---------------------------------------------------------------- settings

/** A setting's text and where it came from: `--ttl`, `PROCLET_TTL`, `proclet.yml:3:5`, `.foreman:2:1`. */
export interface Given {
  readonly text: string;
  readonly origin: string;
}

/** A time of day, the next time that it is, or a point in wall time. */
export type Moment =
  | { readonly hours: number; readonly minutes: number; readonly seconds: number }
  | { readonly at: number };

export type OnExit = 'restart' | 'stop' | 'ignore';

/** A value for every service, with exceptions by tag. */
export interface PerTag<T> {
  /** Asked for this run: wins over what `proclet.yml` says about a service. */
  readonly all?: T;
  /** A default of a file: for services that say nothing themselves. */
  readonly otherwise?: T;
  readonly tags: Readonly<Record<Tag, T>>;
}

/** What the user asked for: typed, precedence resolved, defaults filled in. */
export interface Settings {
  /** Tags to run; empty means every service. */
  readonly tags: readonly Tag[];
  readonly formation: PerTag<number>;
  /** The base port, when one was asked for by flag, environment variable of proclet, or file. */
  readonly port?: number | 'auto';
  readonly ttl: PerTag<Millis>;
  readonly idle: PerTag<Millis>;
  readonly start: PerTag<StartPolicy>;
  readonly watch: PerTag<readonly string[]>;
  readonly watchPoll: PerTag<Millis>;
  readonly onExit: OnExit;
  readonly grace: PerTag<Millis>;
  readonly stop: PerTag<StopPolicy>;
  readonly expireStatus: number;
  readonly shell: string;
  readonly quiet: readonly Tag[];
  readonly color: 'auto' | 'always' | 'never';
  readonly timestamp: boolean;
  readonly logFormat: 'text' | 'json';
  readonly pidFile?: string;
  /** Of the run; '' for none. */
  readonly name: string;
  readonly keys: boolean;
  readonly stdinQuit: boolean;
  readonly until?: Moment;
  readonly untilExit?: number;
  readonly onEvent?: string;
  readonly logDir?: string;
}
