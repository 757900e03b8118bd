/** Who or what asked for an end, in words that follow a colon. */
import type { Why } from '../model.js';

export function whyInWords(why: Why): string {
  switch (why.is) {
    case 'signal':
      return signalInWords(why);
    case 'control': {
      const who = why.from === 'launcher' ? 'the launcher' : `proclet ${why.verb}`;
      return why.pid === undefined ? who : `${who} (pid ${why.pid})`;
    }
    case 'key':
      return `key ${why.key}`;
    case 'hangup':
      return 'the terminal was closed';
    case 'unread':
      return 'nobody reads the output';
    case 'unwritable':
      return 'the output cannot be written';
    case 'until':
    case 'until-exit':
    case 'stdin-quit':
      return `--${why.is}`;
    case 'library':
      return 'stop() was called';
    case 'bug':
      return 'a bug in proclet';
    case 'on-exit':
      return `${why.id} has ended (--on-exit stop)`;
    case 'unneeded':
      return `only ${why.tag} needed it`;
    default:
      return why satisfies never;
  }
}

function signalInWords({ signal, inFront }: Extract<Why, { is: 'signal' }>): string {
  if (!inFront) return signal;
  if (signal === 'SIGINT') return `${signal} (Ctrl-C)`;
  return signal === 'SIGQUIT' ? `${signal} (Ctrl-\\)` : signal;
}
