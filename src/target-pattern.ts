/** Words that name services and instances. Owns what `*` and `all` mean. */

export interface TargetPattern {
  test(word: string): boolean;
}

/** `*` is any text, `?` any character; `all` is everything. No pattern takes long: it may come from anybody. */
export function targetPattern(text: string): TargetPattern {
  return { test: (word) => text === 'all' || matches(text, word) };
}

/** Goes back to the last `*` only, which is enough: what an earlier one could take, the last one can. */
function matches(pattern: string, word: string): boolean {
  let [at, star, taken] = [0, -1, 0];
  for (let place = 0; place < word.length; ) {
    if (pattern[at] === '*') {
      star = at;
      taken = place;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === word[place])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      taken += 1;
      place = taken;
      at = star + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
