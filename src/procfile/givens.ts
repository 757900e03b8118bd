/**
 * A YAML map of long flag names to texts, as if they had been typed. Owns how a YAML value becomes a flag's
 * text, for `defaults` of `proclet.yml` and for `.foreman`. What a text means is decided where flags are read.
 */
import type { Given, Parsed, Problem } from '../model.js';
import { toRecord } from '../record.js';
import type { YamlMap, YamlPath } from './read-yaml.js';
import { suggest } from './suggest.js';

/** Where the map is, and which names it may hold: any, when `known` is absent. */
export interface GivenSource {
  readonly path: string;
  readonly at: YamlPath;
  readonly known?: readonly string[] | undefined;
}

/**
 * A text is kept as written, `true` and `false` are themselves, a list is joined by commas. A name with
 * nothing after it gives nothing. Unknown names and values of other kinds are problems.
 */
export function toGivens(
  yaml: YamlMap,
  map: Readonly<Record<string, unknown>>,
  source: GivenSource,
): Parsed<Record<string, Given>> {
  const problems: Problem[] = [];
  const pairs: [string, Given][] = [];
  for (const [name, value] of Object.entries(map)) {
    const at = [...source.at, name];
    const place = yaml.placeOf(at);
    const where = at.join('.');
    const text = textOf(yaml, value, at);
    if (source.known !== undefined && !source.known.includes(name)) {
      problems.push({
        path: source.path,
        ...place,
        message: `${where} is not a setting`,
        ...hint(suggest(name, source.known)),
      });
    } else if (text === undefined) {
      problems.push({
        path: source.path,
        ...place,
        message: `${where} must be a text, a number, true, false or a list of those`,
      });
    } else if (value !== null) {
      pairs.push([name, { text, origin: `${source.path}:${place.line}:${place.column}` }]);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: toRecord(pairs) };
}

/** For spreading into a problem: a hint that is absent must not be there at all. */
export function hint(text: string | undefined): Pick<Problem, 'hint'> {
  return text === undefined ? {} : { hint: text };
}

function textOf(yaml: YamlMap, value: unknown, at: YamlPath): string | undefined {
  if (!Array.isArray(value)) return scalarText(yaml, value, at);
  const texts = value.map((item, index) => (item === null ? undefined : scalarText(yaml, item, [...at, index])));
  return texts.includes(undefined) ? undefined : texts.join(',');
}

function scalarText(yaml: YamlMap, value: unknown, at: YamlPath): string | undefined {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'object' && value !== null ? undefined : yaml.textAt(at);
}
