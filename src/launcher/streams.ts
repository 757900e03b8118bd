/**
 * The streams to the open pages (server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * A stream holds no messages of its own: it knows what its page has seen, and is written what has changed since when
 * the page has read what it was sent before. So memory does not grow with slow readers, nor with what happens.
 */
import type { SSEStreamingApi } from 'hono/streaming';
import type { Clock } from '../ports.js';

/** What a stream has to say now; empty when there is nothing new. */
export type Collect = () => readonly { readonly event: string; readonly data: string }[];

export interface Streams {
  readonly size: number;
  readonly isFull: boolean;
  /** Resolves when the page has gone, or when `isOver` says that nothing more will come. */
  serve(stream: SSEStreamingApi, collect: Collect, isOver?: () => boolean): Promise<void>;
  /** Something happened that may be news to somebody. */
  pulse(): void;
  close(): void;
}

/** Between two messages to a page: what happens meanwhile is one message. */
const rhythm = 50;
const beat = 15_000;
/** A page that reads nothing for so long is not there any more. */
const patience = 60_000;

export function createStreams(clock: Clock, most: number): Streams {
  const open = new Set<SSEStreamingApi>();
  const waiting = new Map<SSEStreamingApi, () => void>();
  let isArmed = false;
  let isClosed = false;
  let beats = 0;
  let cancelBeat = () => {};

  function wake(): void {
    const all = [...waiting.values()];
    waiting.clear();
    for (const go of all) go();
  }

  function pulse(): void {
    if (isArmed || waiting.size === 0) return;
    isArmed = true;
    clock.wakeAt(clock.now() + rhythm, () => {
      isArmed = false;
      wake();
    });
  }

  /** So that whoever is between us knows that we live, and we learn who has gone. */
  function keepBeating(): void {
    cancelBeat = clock.wakeAt(clock.now() + beat, () => {
      beats += 1;
      wake();
      keepBeating();
    });
  }

  async function write(stream: SSEStreamingApi, text: string): Promise<void> {
    const cancel = clock.wakeAt(clock.now() + patience, () => stream.abort());
    await stream.write(text);
    cancel();
  }

  async function talk(stream: SSEStreamingApi, collect: Collect, isOver: () => boolean): Promise<void> {
    let seenBeats = beats;
    while (!stream.aborted && !stream.closed && !isClosed) {
      const news = collect().map(({ event, data }) => `event: ${event}\ndata: ${data}\n\n`);
      if (news.length === 0 && seenBeats !== beats) news.push(':\n\n');
      seenBeats = beats;
      if (news.length > 0) await write(stream, news.join(''));
      if (isOver()) return;
      await new Promise<void>((go) => void waiting.set(stream, go));
    }
  }

  return {
    get size() {
      return open.size;
    },
    get isFull() {
      return isClosed || open.size >= most;
    },
    async serve(stream, collect, isOver = () => false) {
      open.add(stream);
      if (open.size === 1) keepBeating();
      stream.onAbort(() => waiting.get(stream)?.());
      try {
        await talk(stream, collect, isOver);
      } finally {
        waiting.delete(stream);
        open.delete(stream);
        if (open.size === 0) cancelBeat();
      }
    },
    pulse,
    close() {
      isClosed = true;
      cancelBeat();
      wake();
    },
  };
}
