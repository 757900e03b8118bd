/** Asks until the fact holds, for at most `within` milliseconds; then throws what it said last. */
export async function eventually<T>(fact: () => T | Promise<T>, within = 30_000): Promise<T> {
  const end = performance.now() + within;
  for (;;) {
    try {
      return await fact();
    } catch (failure) {
      if (performance.now() > end) throw failure;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
