/** The operating system's signals to proclet itself, as callbacks. */

const ending = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
let isEndAsked = false;
/** How many listeners there are for each of the signals that would end proclet. */
const listeners = new Map<NodeJS.Signals, number>();
/** Those that came before anybody listened; undefined once somebody has. */
let early: NodeJS.Signals[] | undefined;
let isHeld = false;

/** Whether one of the signals that ask for an end has come since `onSignals` was first called for it. */
export function wasEndAsked(): boolean {
  return isEndAsked;
}

/**
 * From now on no signal ends this process by itself. The first listener gets those that came before it; what comes when
 * the last listener has gone changes nothing any more, as the process is about to end with a status of its own.
 */
export function holdSignals(): void {
  if (isHeld) return;
  isHeld = true;
  early = [];
  for (const signal of ending) process.on(signal, hold);
}

/** Signals act as they did before they were held. */
export function giveBackSignals(): void {
  if (!isHeld) return;
  isHeld = false;
  for (const signal of ending) process.off(signal, hold);
}

function hold(signal: NodeJS.Signals): void {
  if ((listeners.get(signal) ?? 0) === 0) early?.push(signal);
}

/** Calls back for each of the signals until the returned function is called. */
export function onSignals(signals: readonly NodeJS.Signals[], heard: (signal: NodeJS.Signals) => void): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    isEndAsked ||= isEnding(signal);
    heard(signal);
  };
  for (const signal of signals) {
    process.on(signal, onSignal);
    listeners.set(signal, (listeners.get(signal) ?? 0) + 1);
  }
  const held = early;
  early = undefined;
  // The caller is not ready for a call before this one returns.
  if (held !== undefined && held.length > 0) queueMicrotask(() => held.forEach(onSignal));
  return () => {
    for (const signal of signals) {
      process.off(signal, onSignal);
      listeners.set(signal, (listeners.get(signal) ?? 0) - 1);
    }
  };
}

function isEnding(signal: NodeJS.Signals): boolean {
  return ending.some((each) => each === signal);
}
