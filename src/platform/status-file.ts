/** `generation:pid` of each life of a service, a line each, as `start_server --status-file` keeps it. */
import { lifeKey } from '../life-key.js';
import type { InstanceId, Plan, ProcletEvent, Tag } from '../model.js';
import type { Observer } from '../ports.js';
import type { RunPart } from '../run-part.js';
import { adviceOn } from '../system-error.js';
import { writeWhole } from './whole-file.js';

export interface StatusFiles extends RunPart<Plan> {
  readonly observe: Observer;
}

/** `warn` gets what went wrong with a file, once for each series of failures. */
export function createStatusFiles(warn: (problem: string) => void): StatusFiles {
  let files: ReadonlyMap<Tag, string> = new Map();
  const broken = new Set<string>();
  /** Of every service: one that runs may get a file. */
  const lives = new Map<Tag, Map<string, string>>();

  const writeLines = (file: string, lines: Iterable<string>) => {
    try {
      writeWhole(file, [...lines].map((line) => `${line}\n`).join(''));
      broken.delete(file);
    } catch (error) {
      if (!broken.has(file)) {
        warn(`the status file ${file} cannot be written, and is tried again with the next life: ${adviceOn(error)}`);
      }
      broken.add(file);
    }
  };
  const update = (tag: Tag) => {
    const file = files.get(tag);
    if (file !== undefined) writeLines(file, lives.get(tag)?.values() ?? []);
  };
  const change = (id: InstanceId, by: (own: Map<string, string>) => void) => {
    const tag = id.slice(0, id.lastIndexOf('.'));
    const own = lives.get(tag) ?? new Map<string, string>();
    by(own);
    if (own.size > 0) lives.set(tag, own);
    else lives.delete(tag);
    update(tag);
  };

  return {
    observe(event: ProcletEvent) {
      if (event.type === 'spawned') {
        change(event.id, (own) => own.set(lifeKey(event), `${event.generation}:${event.pid}`));
      } else if (event.type === 'exited') change(event.id, (own) => own.delete(lifeKey(event)));
    },
    prepare({ services }) {
      const next = new Map(services.flatMap(({ tag, statusFile }) => (statusFile ? [[tag, statusFile]] : [])));
      return {
        take() {
          const before = files;
          files = next;
          const kept = new Set(next.values());
          // As at the end of a run: no life is left that it is kept for.
          for (const file of before.values()) if (!kept.has(file)) writeLines(file, []);
          for (const [tag, file] of next) if (before.get(tag) !== file && lives.has(tag)) update(tag);
        },
      };
    },
  };
}
