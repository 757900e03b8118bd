/** Words that name services and instances. Owns what `*` and `all` mean. */

/** `*` is any text, `?` any character; `all` is everything. */
export function targetPattern(text: string): RegExp {
  const source =
    text === 'all'
      ? '.*'
      : text
          .replace(/[^\w*?]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
