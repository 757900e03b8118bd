/**
 * The text of `.foreman` to settings, pure: a YAML map of foreman's long option names. Owns which of
 * foreman's options mean nothing here and are passed over; everything else it does not know is a problem,
 * because a misspelt option would otherwise do nothing and say nothing.
 */
import type { Given, Parsed } from '../model.js';
import { toRecord } from '../record.js';
import { toGivens } from './givens.js';
import { readYaml } from './read-yaml.js';

/**
 * The settings of the file, by name.
 * @param names every name and alias a setting has
 */
export function parseForeman(text: string, path: string, names: readonly string[]): Parsed<Record<string, Given>> {
  const yaml = readYaml(text, path);
  if (!yaml.ok) return { ok: false, problems: yaml.problems };
  const options = Object.entries(yaml.value.value).filter(([name]) => !EXPORT_OPTIONS.includes(name));
  return toGivens(yaml.value, toRecord(options), { path, at: [], known: names });
}

/** Options of `foreman export` only. */
const EXPORT_OPTIONS = ['app', 'log', 'run', 'template', 'user'];
