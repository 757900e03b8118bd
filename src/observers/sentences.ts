/**
 * What proclet says about an event: none, one or more sentences for people. It remembers only what a later
 * sentence needs: who runs, who was restarted, who had to be killed. Output is not its business.
 */
import { formatDuration } from '../duration.js';
import type { InstanceId, ProcletEvent } from '../model.js';
import { type End, type Sentence, sentenceOfEnd } from './obituary.js';

type EventOf<T extends ProcletEvent['type']> = Extract<ProcletEvent, { type: T }>;

/**
 * Returns the function that turns each event, in order, into what is to be said about it. `repeated`: how many
 * lines of the life that ended were those of the one before, and not shown.
 */
export function createSentences(): (event: ProcletEvent, repeated?: number) => readonly Sentence[] {
  const running = new Set<InstanceId>();
  const recovering = new Set<InstanceId>();
  const killed = new Map<InstanceId, EventOf<'killed'>>();
  const orphaned = new Set<InstanceId>();
  let shuttingDown = false;

  const onStopping = ({ cause }: EventOf<'stopping'>): readonly Sentence[] => {
    if (cause.reason !== 'shutdown' || shuttingDown) return [];
    shuttingDown = true;
    return [plain(`stopping ${listed([...running], 'instances')}`)];
  };

  const onExited = (event: EventOf<'exited'>, repeated: number): readonly Sentence[] => {
    const { id, next, cause } = event;
    const end: End = { ...event, killed: killed.get(id), orphaned: orphaned.has(id), repeated };
    running.delete(id);
    killed.delete(id);
    orphaned.delete(id);
    if (next.is === 'restart' && cause === undefined) recovering.add(id);
    else recovering.delete(id);
    return sentenceOfEnd(end);
  };

  const about = (event: ProcletEvent, repeated: number): readonly Sentence[] => {
    switch (event.type) {
      case 'spawned':
        running.add(event.id);
        // Its crash was told, and that it would be started again.
        if (recovering.has(event.id)) return [];
        return [plain(`${event.id} started (${placeOf(event)})`)];
      case 'up':
        return recovering.delete(event.id) ? [plain(`${event.id} is up again`)] : [];
      case 'stopping':
        return onStopping(event);
      case 'orphaned':
        orphaned.add(event.id);
        return [warning(orphanedSentence(event))];
      case 'killed':
        // Told when it is over and known how many processes there were.
        killed.set(event.id, event);
        return [];
      case 'exited':
        return onExited(event, repeated);
      case 'expiring':
        return [warning(`${event.tag} expires in ${formatDuration(event.in)}`)];
      case 'notice':
        return event.text.split('\n').map(plain);
      case 'output':
      case 'stopped':
        return [];
      default:
        return event satisfies never;
    }
  };
  return (event, repeated = 0) =>
    about(event, repeated).map((sentence) => ({ ...sentence, text: printable(sentence.text) }));
}

/** A sentence may quote a command or a path: no control character of theirs reaches the terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const plain = (text: string): Sentence => ({ text, mark: 'plain' });
const warning = (text: string): Sentence => ({ text, mark: 'warning' });

function placeOf({ pid, port }: EventOf<'spawned'>): string {
  return port > 0 ? `pid ${pid}, port ${port}` : `pid ${pid}`;
}

function orphanedSentence({ id, exit, processes }: EventOf<'orphaned'>): string {
  const left = processes === 1 ? '1 process behind; ending it' : `${processes} processes behind; ending them`;
  switch (exit.how) {
    case 'code':
      return `${id} exited with code ${exit.code} and left ${left}`;
    case 'signal':
      return `${id} was killed by ${exit.signal} and left ${left}`;
    case 'spawn-error':
      return `${id} could not be started and left ${left}`;
    default:
      return exit satisfies never;
  }
}

/** Up to three names in full, more as a count. */
function listed(names: readonly string[], noun: string): string {
  if (names.length === 0) return 'everything';
  if (names.length > 3) return `${names.length} ${noun}`;
  const [last, ...others] = [...names].reverse();
  return others.length === 0 ? `${last}` : `${others.reverse().join(', ')} and ${last}`;
}
