/** Asks until the fact holds, for at most `within` milliseconds, ever more rarely; then throws what it said last. */
export async function eventually<T>(fact: () => T | Promise<T>, within = 30_000): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await fact();
    } catch (failure) {
      if (performance.now() > begun + within) throw failure;
    }
    // What is asked works to answer, and takes longer for it.
    const wait = Math.min(100, 5 + (performance.now() - begun) / 10);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
