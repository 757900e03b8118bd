/** `generation:pid` of each life of a service, a line each, as `start_server --status-file` keeps it. */
import { lifeKey } from '../life-key.js';
import type { InstanceId, Plan, ProcletEvent, Tag } from '../model.js';
import { writeWhole } from './whole-file.js';

/** Returns the observer that keeps the files of a plan. */
export function keepStatusFiles({ services }: Plan): (event: ProcletEvent) => void {
  const files = new Map(
    services.flatMap(({ tag, statusFile }) => (statusFile === undefined ? [] : [[tag, statusFile]])),
  );
  const lives = new Map<Tag, Map<string, string>>();

  const keep = (id: InstanceId, change: (own: Map<string, string>) => void) => {
    const tag = id.slice(0, id.lastIndexOf('.'));
    const file = files.get(tag);
    if (file === undefined) return;
    const own = lives.get(tag) ?? new Map<string, string>();
    lives.set(tag, own);
    change(own);
    writeWhole(file, [...own.values()].map((line) => `${line}\n`).join(''));
  };
  return (event) => {
    if (event.type === 'spawned') {
      keep(event.id, (own) => own.set(lifeKey(event), `${event.generation}:${event.pid}`));
    } else if (event.type === 'exited') keep(event.id, (own) => own.delete(lifeKey(event)));
  };
}
