/** Ends one thing after the other, whatever one of them throws. Answers what was thrown. */
export async function closeAll(...ends: readonly ((() => unknown) | undefined)[]): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  for (const end of ends) {
    try {
      await end?.();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}
