/** Errors that nobody caught, as callbacks. */

/** From now on they are reported instead of ending the process, until the returned function is called. */
export function onUncaught(caught: (error: unknown) => void): () => void {
  process.on('uncaughtException', caught);
  return () => void process.off('uncaughtException', caught);
}
