/**
 * Records whose keys come from other people's files. Owns the two operations that go wrong with such keys:
 * looking one up (`constructor` is not a service) and building one (`__proto__` is only a name).
 */

/** The record's own value, or undefined. Never what it inherits. */
export function lookUp<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A record without a prototype. A later pair wins over an earlier one of the same key. */
export function toRecord<T>(pairs: Iterable<readonly [string, T]>): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [key, value] of pairs) record[key] = value;
  return record;
}
