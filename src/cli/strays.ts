/** Exceptions that nobody caught, in a timer or an event of Node's: they concern whoever listened last. */

type Listener = (error: unknown) => void;

const listeners: Listener[] = [];

/** Answers the end of listening. */
export function onStray(listener: Listener): () => void {
  if (listeners.length === 0) process.on('uncaughtException', (error) => listeners.at(-1)?.(error));
  listeners.push(listener);
  return () => {
    const at = listeners.indexOf(listener);
    if (at >= 0) listeners.splice(at, 1);
  };
}
