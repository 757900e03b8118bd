/** References under `env:` to variables that nobody sets: an empty value in their place would be a mistake without a word. */
import type { Config, Env, Problem, Procfile, Tag } from '../model.js';
import { lookUp } from '../record.js';
import { ADDED_VARIABLES, namesIn, portVariable } from './environment.js';

export interface EnvSources {
  readonly procfile: Procfile;
  readonly config?: Config | undefined;
  readonly env: Env;
  readonly dotenv: Env;
  readonly envFiles: Readonly<Record<Tag, Env>>;
}

export function envProblems({ procfile, config, env, dotenv, envFiles }: EnvSources): Problem[] {
  const services = config?.services ?? {};
  const hasPort = (tag: Tag) => lookUp(services, tag)?.port !== false;
  const withPort = procfile.entries.filter(({ tag }) => hasPort(tag));
  const added = new Set<string>([...ADDED_VARIABLES, ...withPort.map(({ tag }) => portVariable(tag))]);
  return Object.entries(services).flatMap(([tag, { env: own = {} }]) => {
    const envFile = lookUp(envFiles, tag) ?? {};
    const layers = [env, dotenv, envFile];
    const isKnown = (name: string) => {
      if (name === 'PORT' && !hasPort(tag)) return lookUp(envFile, name) !== undefined;
      return added.has(name) || layers.some((layer) => lookUp(layer, name) !== undefined);
    };
    const place = lookUp(config?.places ?? {}, tag);
    return Object.entries(own).flatMap(([key, text]) =>
      namesIn(text)
        .filter((name) => !isKnown(name))
        .map((name) => ({
          ...{ path: config?.path ?? procfile.path, ...place },
          message: `services.${tag}.env.${key}: \${${name}} is not set`,
          hint: `write \${${name}:-} for an empty one, or $$ for a dollar`,
        })),
    );
  });
}
