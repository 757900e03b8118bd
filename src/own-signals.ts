/** What the signals to `proclet start` itself mean. */
import { statusOfSignal } from './exit-status.js';
import type { Millis } from './model.js';
import { watchTerminal, whenGone } from './platform/hangup.js';
import { standing, wasSentByProcess } from './platform/job-control.js';
import { createProcessTable } from './platform/process-table.js';
import { onSignals } from './platform/signals.js';
import type { Clock } from './ports.js';
import type { Run } from './supervision.js';

export interface SignalActs {
  /** Somebody asks for the end. */
  stop(status: number, patient: boolean): void;
  /** The terminal is closed. */
  end(status: number): void;
  configure(step?: number): Promise<void>;
  reopen(): void;
  readonly clock: Clock;
}

/** A shell that ends tells its jobs before its terminal is closed. */
const hangupFollows: Millis = 1_000;

/** Until the returned function is called. */
export function listenToSignals({ supervisor }: Run, acts: SignalActs): () => void {
  const { clock, stop, end, configure } = acts;
  const terminal = watchTerminal();
  const hungUp = () => end(statusOfSignal('SIGHUP'));
  const endIfHungUp = () => {
    const isGone = terminal.isGone();
    if (isGone) hungUp();
    return isGone;
  };
  const leave = whenGone(terminal, clock, hungUp);
  const scale = (signal: 'SIGTTIN' | 'SIGTTOU') => {
    if (wasSentByProcess(standing(), createProcessTable().read())) void configure(signal === 'SIGTTIN' ? 1 : -1);
    else
      supervisor.notice(
        `${signal} may come from the terminal, because proclet is in the background with other programs: nothing was scaled; use proclet scale`,
      );
  };
  const heard: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTTIN', 'SIGTTOU'];
  const deafen = onSignals([...heard, 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'], (signal) => {
    if (signal === 'SIGTTIN' || signal === 'SIGTTOU') scale(signal);
    else if (signal === 'SIGUSR1') acts.reopen();
    else if (signal === 'SIGUSR2' || signal === 'SIGWINCH') {
      if (signal === 'SIGUSR2' || !terminal.isOurs) supervisor.request({ type: 'signal', signal, to: 'leader' });
    } else if (signal !== 'SIGHUP') stop(statusOfSignal(signal), signal === 'SIGQUIT');
    else if (!endIfHungUp()) {
      void configure();
      if (terminal.isOurs) clock.wakeAt(clock.now() + hangupFollows, endIfHungUp);
    }
  });
  return () => {
    leave();
    deafen();
  };
}
