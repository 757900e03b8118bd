/** What the signals to `proclet start` itself mean. */
import { statusOfSignal } from './exit-status.js';
import type { Millis, Why } from './model.js';
import { watchTerminal, whenGone } from './platform/hangup.js';
import { standing, wasSentByProcess } from './platform/job-control.js';
import { createProcessTable } from './platform/process-table.js';
import { onSignals } from './platform/signals.js';
import type { Clock } from './ports.js';
import type { Run } from './supervision.js';

export interface SignalActs {
  configure(step?: number): Promise<void>;
  reopen(): void;
  readonly clock: Clock;
}

/** A shell that ends tells its jobs before its terminal is closed. */
const hangupFollows: Millis = 1_000;

/** Somebody asks for the end by a signal: a key of the terminal, or another process. */
function shutdownFor(signal: NodeJS.Signals) {
  const inFront = (signal === 'SIGINT' || signal === 'SIGQUIT') && standing() === 'foreground';
  const why: Why = { is: 'signal', signal, ...(inFront && { inFront }) };
  return { type: 'shutdown', status: statusOfSignal(signal), patient: signal === 'SIGQUIT', why } as const;
}

/** Until the returned function is called. */
export function listenToSignals({ supervisor }: Run, acts: SignalActs): () => void {
  const { clock, configure } = acts;
  const terminal = watchTerminal();
  const hungUp = () => {
    const status = statusOfSignal('SIGHUP');
    supervisor.request({ type: 'shutdown', status, patient: false, unasked: true, why: { is: 'hangup' } });
  };
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
    } else if (signal !== 'SIGHUP') supervisor.request(shutdownFor(signal));
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
