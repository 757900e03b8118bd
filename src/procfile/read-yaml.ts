/**
 * A YAML text to one plain map, with the place and the written text of everything in it. The only file that
 * knows the YAML library. Owns syntax: what does not parse, keys that repeat or are not names, nesting and
 * aliases without end. What the map may contain is decided by those who asked for it.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml';
import type { Parsed, Place, Problem } from '../model.js';
import { quote } from '../quote.js';
import { lookUp } from '../record.js';

export type YamlPath = readonly PropertyKey[];

export interface YamlMap {
  /** Values as YAML understands them: `022` is the number 22. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The scalar at a path as it is written: `022`, `1.10`; empty for nothing and for null. */
  textAt(path: YamlPath): string;
  /** Where the innermost part of the path that is written in the text begins. */
  placeOf(path: YamlPath): Place;
}

/** The map (empty for an empty text), or every problem of the syntax with its place. Never throws. */
export function readYaml(text: string, path: string): Parsed<YamlMap> {
  const source = text.replace(/^\uFEFF/, '');
  if (nesting(source) > DEEPEST) return refuse([{ path, message: `it nests more than ${DEEPEST} levels deep` }]);
  const lines = new LineCounter();
  const doc = parseDocument(source, { ...OPTIONS, schema: 'core', lineCounter: lines });
  // The same text once more without types, for what was written: both have the same shape.
  const plain = parseDocument(source, { ...OPTIONS, schema: 'failsafe' });
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: line || 1, column: col || 1 };
  };
  const problems = [
    ...syntaxProblems(plain, { path, source, placeAt }),
    ...keyProblems(doc, { path, source, placeAt }),
  ];
  if (problems.length > 0) return refuse(problems);
  if (doc.contents !== null && !isEmpty(doc.contents) && !isMap(doc.contents)) {
    const place = placeAt(doc.contents.range?.[0] ?? 0);
    return refuse([{ path, ...place, message: 'the file must be a map of keys and values, such as services:' }]);
  }
  try {
    const value: Record<string, unknown> = doc.toJS() ?? {};
    const written: unknown = plain.toJS();
    return {
      ok: true,
      value: {
        value,
        textAt: (at) => (valueAt(value, at) === null ? '' : scalarText(valueAt(written, at))),
        placeOf: (at) => placeAt(offsetOf(doc, at)),
      },
    };
  } catch (error) {
    // The library throws for aliases that expand without end and for `<<` of something that is no map.
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof ReferenceError ? 'its aliases expand to too much' : error.message;
    return refuse([{ path, message: `it cannot be read: ${reason}` }]);
  }
}

/** Deeper than any configuration, and far from what would exhaust the stack of the library. */
const DEEPEST = 64;
const OPTIONS = { merge: true, prettyErrors: false, logLevel: 'error' } as const;

function refuse(problems: readonly Problem[]): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems };
}

/** How deep the text nests at most, from its tokens alone: indentation deeper than this costs too much text. */
function nesting(source: string): number {
  let flow = 0;
  let onLine = 0;
  let deepest = 0;
  for (const token of new Lexer().lex(source)) {
    if (token === '[' || token === '{') flow += 1;
    else if (token === ']' || token === '}') flow -= 1;
    else if (token === '\n') onLine = 0;
    else if (token === '-' || token === '?' || token === ':') onLine += 1;
    deepest = Math.max(deepest, flow, flow > 0 ? 0 : onLine);
  }
  return deepest;
}

interface Text {
  readonly path: string;
  readonly source: string;
  readonly placeAt: (offset: number) => Place;
}

function syntaxProblems(doc: Document, { path, source, placeAt }: Text): Problem[] {
  return doc.errors.map(({ code, message, pos }) => {
    if (code === 'DUPLICATE_KEY') {
      // The library points at the key or at the space and comments before it.
      const [, before = '', key = ''] = /^((?:\s|#[^\n]*)*)([^:\n]*)/.exec(source.slice(pos[0])) ?? [];
      return { path, ...placeAt(pos[0] + before.length), message: `${quote(key.trim())} is already defined above` };
    }
    const reason = `it is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
    return { path, ...placeAt(pos[0]), message: SENTENCES[code] ?? reason };
  });
}

const SENTENCES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second YAML document starts here; there can be only one',
  TAB_AS_INDENT: 'a tab is used for indentation; YAML allows only spaces',
};

/** Keys that are not names, and aliases to nothing: the library would warn on standard error, or throw. */
function keyProblems(doc: Document<ParsedNode>, { path, placeAt }: Text): Problem[] {
  const problems: Problem[] = [];
  const report = (node: Node | null | undefined, message: string) =>
    problems.push({ path, ...placeAt(node?.range?.[0] ?? 0), message });
  visit(doc, {
    Pair: (_, { key }) => {
      const node = key as Node | null;
      if (!isScalar(node)) report(node, 'a key must be a name');
      else if (String(node.value) === '__proto__') report(node, "'__proto__' cannot be a key");
    },
    Alias: (_, alias) => {
      if (alias.resolve(doc) === undefined) report(alias, `there is no anchor &${alias.source} before this alias`);
    },
  });
  return problems;
}

function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null;
}

function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce(
    (inner: unknown, key) =>
      typeof inner === 'object' && inner !== null ? lookUp(inner as Record<string, unknown>, String(key)) : undefined,
    value,
  );
}

function scalarText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function offsetOf(doc: Document<ParsedNode>, path: YamlPath): number {
  let node: unknown = doc.contents;
  let offset = doc.contents?.range?.[0] ?? 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(doc);
    const found = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
      : isSeq(node)
        ? { key: node.items[Number(key)], value: node.items[Number(key)] }
        : undefined;
    if (found === undefined) break;
    offset = (found.key as Node | undefined)?.range?.[0] ?? offset;
    node = found.value;
  }
  return offset;
}
