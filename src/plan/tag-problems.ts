/**
 * Tags that name no service: asked for, in a setting, or in `proclet.yml`. Owns that every such tag is a
 * mistake and never passed over, because a misspelt one would otherwise do nothing and say nothing.
 */
import type { Config, Problem, Procfile, Settings, Tag } from '../model.js';
import { quote } from '../quote.js';
import { lookUp } from '../record.js';
import { valueFor } from './per-tag.js';

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
    { place: 'idle: ', tags: Object.keys(settings.idle.tags) },
    { place: 'start: ', tags: Object.keys(settings.start.tags) },
    { place: 'watch: ', tags: Object.keys(settings.watch.tags) },
    { place: 'watch-poll: ', tags: Object.keys(settings.watchPoll.tags) },
    { place: 'quiet: ', tags: settings.quiet },
  ];
  const asked = places.flatMap(({ place, tags }) =>
    unknown(tags).map((tag): Problem => ({ path, message: `${place}there is no service ${quote(tag)}`, hint })),
  );
  if (config === undefined) return asked;
  const configured = unknown(Object.keys(config.services)).map((tag): Problem => {
    const place = lookUp(config.places, tag);
    const message = `services.${tag} is not a service of ${path}`;
    return { path: config.path, ...place, message, hint };
  });
  return [
    ...asked,
    ...configured,
    ...afterProblems(config, known),
    ...reloadProblems(config),
    ...scheduleProblems(config, settings),
  ];
}

/** Two generations side by side cannot listen on one port. */
function reloadProblems(config: Config): Problem[] {
  return Object.entries(config.services).flatMap(([tag, { reload, port }]) => {
    if (reload !== 'handover' || typeof port !== 'number') return [];
    const place = lookUp(config.places, tag);
    return {
      ...{ path: config.path, ...place },
      message: `services.${tag}: two generations cannot both listen on port ${port}, so there is no handover`,
      hint: 'let the command listen on $PORT and leave port out, or use reload: restart',
    };
  });
}

/** What runs at its times has nothing to be asked for or to be waited for. */
function scheduleProblems(config: Config, settings: Settings): Problem[] {
  return Object.entries(config.services).flatMap(([tag, { every, start, after = [] }]) => {
    const place = { path: config.path, ...lookUp(config.places, tag) };
    const scheduled = after.filter((each) => lookUp(config.services, each)?.every !== undefined);
    const never = scheduled.map((each) => ({
      ...place,
      message: `services.${tag}.after: ${each} runs on a schedule, so it is never there to be waited for`,
    }));
    if (every === undefined || valueFor(settings.start, tag, start) !== 'on-access') return never;
    return [...never, { ...place, message: `services.${tag} cannot both run on a schedule and start on access` }];
  });
}

/** Services that are after one that does not exist, or in the end after themselves. */
function afterProblems(config: Config, known: ReadonlySet<Tag>): Problem[] {
  return Object.entries(config.services).flatMap(([tag, { after = [] }]) => {
    const place = { path: config.path, ...lookUp(config.places, tag) };
    const missing = after.filter((each) => !known.has(each));
    const unknown = missing.map((each) => ({
      ...place,
      message: `services.${tag}.after: there is no service ${quote(each)}`,
      hint: `it has ${[...known].join(', ')}`,
    }));
    const circle = circleFrom(config, tag);
    if (circle === undefined) return unknown;
    return [...unknown, { ...place, message: `services.${tag} is after itself: ${circle.join(' after ')}` }];
  });
}

/** The way from a service back to itself, if there is one. */
function circleFrom(config: Config, start: Tag): readonly Tag[] | undefined {
  const ways: Tag[][] = [[start]];
  const seen = new Set<Tag>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of lookUp(config.services, way.at(-1) ?? start)?.after ?? []) {
      if (next === start) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}
