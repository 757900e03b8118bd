/**
 * What proclet says about an event: none, one or more sentences for people. It remembers only what a later
 * sentence needs: who was restarted, who had to be killed. Output is not its business.
 */

import { formatDuration } from '../duration.js';
import { describeExit } from '../exit-status.js';
import type { InstanceId, Millis, ProcletEvent } from '../model.js';
import { type End, type Sentence, sentenceOfEnd } from './obituary.js';
import { whyInWords } from './why.js';

type EventOf<T extends ProcletEvent['type']> = Extract<ProcletEvent, { type: T }>;

/**
 * Returns the function that turns each event, in order, into what is to be said about it. `repeated`: how many
 * lines of the life that ended were those of the one before, and not shown.
 */
export function createSentences(): (event: ProcletEvent, repeated?: number) => readonly Sentence[] {
  const recovering = new Set<InstanceId>();
  const killed = new Map<InstanceId, EventOf<'killed'>>();
  const orphaned = new Set<InstanceId>();

  const onExited = (event: EventOf<'exited'>, repeated: number): readonly Sentence[] => {
    const { id, next, cause } = event;
    const end: End = { ...event, killed: killed.get(id), orphaned: orphaned.has(id), repeated };
    killed.delete(id);
    orphaned.delete(id);
    if (next.is === 'restart' && cause === undefined) recovering.add(id);
    else recovering.delete(id);
    return sentenceOfEnd(end);
  };

  const about = (event: ProcletEvent, repeated: number): readonly Sentence[] => {
    switch (event.type) {
      case 'spawned':
        if (event.coming)
          return [plain(`${event.id}: generation ${event.generation} starts beside the old one (pid ${event.pid})`)];
        // Of one that recovers it was told that it would be started again.
        return recovering.has(event.id) ? [] : [plain(`${event.id} started (${placeOf(event)})`)];
      case 'up':
        return upSentences(event, recovering.delete(event.id));
      case 'orphaned':
        orphaned.add(event.id);
        return [warning(orphanedSentence(event))];
      case 'killed':
        // Told when it is over and known how many processes there were.
        killed.set(event.id, event);
        return [];
      case 'exited':
        return onExited(event, repeated);
      default:
        return sentencesOf(event);
    }
  };
  return (event, repeated = 0) =>
    about(event, repeated).map((sentence) => ({ ...sentence, text: printable(sentence.text) }));
}

type Remembered = 'spawned' | 'up' | 'orphaned' | 'killed' | 'exited';

/** What needs no memory. */
function sentencesOf(event: Exclude<ProcletEvent, { type: Remembered }>): readonly Sentence[] {
  switch (event.type) {
    case 'changed':
      return [plain(changedSentence(event))];
    case 'handed-over':
      return [plain(`${event.id} handed over to generation ${event.generation}`)];
    case 'kept':
      return [
        warning(
          `${event.id} keeps generation ${event.generation}: generation ${event.failed} failed; waiting for a change`,
        ),
      ];
    case 'reconfigured':
      return [plain(reconfiguredSentence(event))];
    case 'unready':
      return [warning(unreadySentence(event))];
    case 'waiting':
      return [plain(`${event.tag} waits for ${listed(event.for, 'services')}`)];
    case 'stranded':
      return [
        { text: `${event.tag} is not started: ${event.for}, which it is after, is not running`, mark: 'failure' },
      ];
    case 'scheduled':
      return [plain(`${event.tag} runs by ${event.every}, next in ${formatDuration(inSeconds(event.in))}`)];
    case 'skipped':
      return [warning(`${event.tag} still runs: this time of its schedule is left out`)];
    case 'woken':
      return [plain(`an access wakes ${event.tag}`)];
    case 'expiring':
      return [warning(expiringSentence(event))];
    case 'notice':
      return event.text.split('\n').map(plain);
    case 'ending':
      return event.ids.length === 0
        ? []
        : [plain(`stopping ${listed(event.ids, 'instances')}: ${whyInWords(event.why)}`)];
    case 'listening':
    case 'output':
    case 'stopping':
    case 'stopped':
      return [];
    default:
      return event satisfies never;
  }
}

/** A sentence may quote a command or a path: no control character of theirs reaches the terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const plain = (text: string): Sentence => ({ text, mark: 'plain' });
const warning = (text: string): Sentence => ({ text, mark: 'warning' });

function upSentences({ id, after, probed }: EventOf<'up'>, again: boolean): readonly Sentence[] {
  if (again) return [plain(`${id} is up again`)];
  return probed ? [plain(`${id} is ready after ${formatDuration(after)}`)] : [];
}

function changedSentence({ tag, path, files }: EventOf<'changed'>): string {
  const more = files === 1 ? '' : ` and ${files - 1} more`;
  return `${tag}: ${path}${more} changed`;
}

function reconfiguredSentence({ added, removed, changed, scaled }: EventOf<'reconfigured'>): string {
  if (scaled.length > 0 && scaled.length === added.length + removed.length + changed.length)
    return scaled
      .map(({ tag, instances }) => `${tag} has ${instances} instance${instances === 1 ? '' : 's'}`)
      .join(', ');
  const parts = [
    { word: 'new', tags: added },
    { word: 'gone', tags: removed },
    { word: 'changed', tags: changed },
  ].flatMap(({ word, tags }) => (tags.length === 0 ? [] : [`${word}: ${tags.join(', ')}`]));
  return `the configuration was read again; ${parts.length === 0 ? 'nothing changed' : parts.join('; ')}`;
}

function expiringSentence({ tag, reason, in: left }: EventOf<'expiring'>): string {
  const unless = reason === 'idle' ? ' unless it is used' : '';
  return `${tag} expires in ${formatDuration(left)}${unless} (proclet extend ${tag} 30m)`;
}

function inSeconds(duration: Millis): Millis {
  return Math.ceil(duration / 1000) * 1000;
}

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
    case 'hangup':
      return `${id} ${describeExit(exit)}; it left ${left}`;
    case 'spawn-error':
      return `${id} could not be started and left ${left}`;
    default:
      return exit satisfies never;
  }
}

function unreadySentence({ id, generation, coming, after, waiting }: EventOf<'unready'>): string {
  const name = coming ? `${id} (generation ${generation})` : id;
  const who =
    waiting.length === 0 ? '' : `; ${listed(waiting, 'services')} ${waiting.length === 1 ? 'waits' : 'wait'} for it`;
  return `${name} is not ready after ${formatDuration(after)}${who}; ending it`;
}

/** Up to three names in full, more as a count. */
function listed(names: readonly string[], noun: string): string {
  if (names.length > 3) return `${names.length} ${noun}`;
  const [last, ...others] = [...names].reverse();
  return others.length === 0 ? `${last}` : `${others.reverse().join(', ')} and ${last}`;
}
