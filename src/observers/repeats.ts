/**
 * Keeps a crash loop readable: a life that prints the same as the failed life before it is counted, not shown
 * again. Holds a new life's output back only while it is the same, and never after the instance is up.
 */
import { isSuccess } from '../exit-status.js';
import type { Bytes, InstanceId, ProcletEvent } from '../model.js';

type OutputEvent = Extract<ProcletEvent, { type: 'output' }>;

export interface Repeats {
  /** What of the event is to be shown now: itself, earlier output that was held, both or nothing. */
  admit(event: ProcletEvent): readonly ProcletEvent[];
  /** How many lines the life that just ended repeated and did not show; 0 if it showed any. */
  repeated(id: InstanceId): number;
}

/** More than this of a life is not compared. */
const mostCompared = 8 * 1024;

interface Memory {
  /** What the failed life before printed; undefined when there was none, or it printed too much. */
  before: Bytes | undefined;
  /** What this life has printed so far; undefined when it is too much. */
  printed: Bytes | undefined;
  /** Output that is held back; undefined when this life is shown. */
  held: OutputEvent[] | undefined;
  repeated: number;
}

export function createRepeats(): Repeats {
  const memories = new Map<InstanceId, Memory>();

  const admitOutput = (event: OutputEvent): readonly ProcletEvent[] => {
    const memory = memories.get(event.id);
    if (memory === undefined) return [event];
    if (event.end !== 'open' && memory.printed !== undefined) {
      const printed = memory.printed + event.text;
      memory.printed = printed.length > mostCompared ? undefined : printed;
    }
    if (memory.held === undefined) return [event];
    memory.held.push(event);
    const same = memory.printed !== undefined && memory.before?.startsWith(memory.printed) === true;
    return same ? [] : release(memory);
  };

  const admitEnd = (event: Extract<ProcletEvent, { type: 'exited' }>): readonly ProcletEvent[] => {
    const memory = memories.get(event.id);
    if (memory === undefined) return [event];
    const same = memory.held !== undefined && memory.printed === memory.before;
    memory.repeated = same ? (memory.printed?.split('\n').length ?? 1) - 1 : 0;
    const shown = same ? [] : release(memory);
    const well = event.unready !== true && (isSuccess(event.exit) || event.expected === true);
    const { next } = event;
    const isTriedAgain = next.is === 'restart' || (next.is === 'failed' && next.awaitsChange === true);
    const crashed = event.cause === undefined && isTriedAgain && !well;
    memory.before = crashed ? memory.printed : undefined;
    memory.held = undefined;
    return [...shown, event];
  };

  return {
    admit(event) {
      switch (event.type) {
        case 'spawned': {
          const before = memories.get(event.id)?.before;
          memories.set(event.id, { before, printed: '', held: before === undefined ? undefined : [], repeated: 0 });
          return [event];
        }
        case 'output':
          return admitOutput(event);
        case 'up': {
          const memory = memories.get(event.id);
          return memory === undefined ? [event] : [...release(memory), event];
        }
        case 'exited':
          return admitEnd(event);
        default:
          return [event];
      }
    },
    repeated: (id) => memories.get(id)?.repeated ?? 0,
  };
}

function release(memory: Memory): readonly OutputEvent[] {
  const held = memory.held ?? [];
  memory.held = undefined;
  return held;
}
