/**
 * Tags that name no service: asked for, in a setting, or in `proclet.yml`. Owns that every such tag is a
 * mistake and never passed over, because a misspelt one would otherwise do nothing and say nothing.
 */
import type { Config, Problem, Procfile, Settings, Tag } from '../model.js';
import { quote } from '../quote.js';
import { lookUp } from '../record.js';

export interface TagSources {
  readonly procfile: Procfile;
  readonly config?: Config | undefined;
  readonly settings: Settings;
}

/** A problem for each unknown tag in each place; the hint lists the tags there are. */
export function tagProblems({ procfile, config, settings }: TagSources): Problem[] {
  const known = new Set(procfile.entries.map(({ tag }) => tag));
  const unknown = (tags: readonly Tag[]) => [...new Set(tags)].filter((tag) => !known.has(tag));
  const { path } = procfile;
  const hint = `it has ${[...known].join(', ')}`;
  const places = [
    { place: '', tags: settings.tags },
    { place: 'formation: ', tags: Object.keys(settings.formation.tags) },
    { place: 'ttl: ', tags: Object.keys(settings.ttl.tags) },
    { place: 'quiet: ', tags: settings.quiet },
  ];
  const asked = places.flatMap(({ place, tags }) =>
    unknown(tags).map((tag): Problem => ({ path, message: `${place}there is no service ${quote(tag)}`, hint })),
  );
  if (config === undefined) return asked;
  const configured = unknown(Object.keys(config.services)).map((tag): Problem => {
    const line = lookUp(config.lines, tag);
    const message = `services.${tag} is not a service of ${path}`;
    return { path: config.path, ...(line === undefined ? {} : { line }), message, hint };
  });
  return [...asked, ...configured];
}
