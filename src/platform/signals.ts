/** The operating system's signals to proclet itself, as callbacks. */

const ending: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
let isEndAsked = false;

/** Whether one of the signals that ask for an end has come since `onSignals` was first called for it. */
export function wasEndAsked(): boolean {
  return isEndAsked;
}

/** Calls back for each of the signals until the returned function is called. */
export function onSignals(signals: readonly NodeJS.Signals[], heard: (signal: NodeJS.Signals) => void): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    isEndAsked ||= ending.includes(signal);
    heard(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
