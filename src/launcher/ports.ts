/** What the launcher needs of the world, and what its parts share. Types only. */
import type { Fleet } from '../fleet/fleet.js';
import type { LaunchedProject, LaunchedService } from '../fleet/launched-project.js';
import type { Launches } from '../fleet/launches.js';
import type { LaunchLine } from '../fleet/lines.js';
import type { Millis, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { Disclosure } from './disclosure.js';
import type { Gate } from './gate.js';
import type { Pages } from './pages.js';

export interface LauncherProject extends LaunchedProject {
  readonly problem?: string;
  readonly services: readonly (LaunchedService & { readonly command: string })[];
  readonly secrets: readonly string[];
}

export interface Projects {
  /** As they were when they were last read. */
  readonly all: readonly LauncherProject[];
  /** Why the registry cannot be read any more; `all` is what it said before. */
  readonly problem: string | undefined;
  /** By name, however it is written, while it is registered; as its files were when they were last read. */
  find(name: string): LauncherProject | undefined;
  /** The same as its files are now, or undefined as soon as it is not registered any more; reads what changed. */
  current(name: string): Promise<LauncherProject | undefined>;
  /** Reads the registry and what changed of the projects' files. */
  refresh(): Promise<void>;
  /** Values in the env files of a directory. */
  secretsOf(root: string): readonly string[];
  /** What a service printed in runs that have ended, oldest first. */
  oldLines(root: string, tag: Tag): readonly LaunchLine[];
}

export interface LauncherParts {
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly launches: Launches<LauncherProject>;
  readonly projects: Projects;
  readonly pages: Pages;
  readonly port: number;
  /** Whether a run was started by the launcher, by its pid. */
  isOwn(pid: number): boolean;
  /** The user's home directory. */
  readonly home: string;
  /** Names besides `localhost` and those of loopback by which pages may be asked for. */
  readonly allowedHosts: readonly string[];
  /** Another one for each launcher. */
  readonly token: string;
  /** Whose connections are answered; absent for everybody's. */
  readonly gate?: Pick<Gate, 'uid' | 'peerOf'>;
  /** What the keys in links are made of: the same for every launcher of this user. */
  readonly linkSecret: string;
  readonly disclosure: Disclosure;
  readonly mostStreams: number;
  /** How much longer an extended lease gets. */
  readonly extension: Millis;
  /** Errors that nobody caught are reported there instead of ending the process, until the returned function is called. */
  onUncaught(caught: (error: unknown) => void): () => void;
  /** A hint such as `did you mean hoge?`, or undefined when no known name is close. */
  near(written: string, known: readonly string[]): string | undefined;
  /** What people may want to know, for the launcher's own output. */
  told(text: string): void;
}

/** A service as somebody asked for it. */
export interface Wanted {
  readonly project: LauncherProject;
  readonly tag: Tag;
}
