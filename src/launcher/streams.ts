/**
 * The streams to the open pages (server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * A stream holds no messages of its own: it knows what its page has seen, and is written what has changed since when
 * the page has read what it was sent before. So memory does not grow with slow readers, nor with what happens.
 */
import type { SSEStreamingApi } from 'hono/streaming';
import type { Clock } from '../ports.js';

/** Messages as they are sent. What is the same for many pages is made once. */
export type News = Uint8Array;

/** `data` has no line breaks. */
export function newsOf(event: string, data: string): News {
  return Buffer.from(`event: ${event}\ndata: ${data}\n\n`);
}

/** What a stream has to say now; empty when there is nothing new. */
export type Collect = () => {
  readonly news: readonly News[];
  /** Wait for something to happen, say at once what did not fit, or be over. */
  readonly next: 'wait' | 'more' | 'end';
};

/** Between two messages to a page: what happens meanwhile is one message. */
const rhythm = 50;
const beat = 15_000;
const heartbeat: News = Buffer.from(':\n\n');
/** A page that reads nothing for so long is not there any more. */
const patience = 60_000;

export class Streams {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #open = new Set<SSEStreamingApi>();
  readonly #waiting = new Map<SSEStreamingApi, () => void>();
  #pulses = 0;
  #beats = 0;
  #isArmed = false;
  #isClosed = false;
  #cancelBeat = () => {};

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#isClosed || this.#open.size >= this.#most;
  }

  /** Resolves when the page has gone, or when nothing more will come. */
  async serve(stream: SSEStreamingApi, collect: Collect): Promise<void> {
    this.#open.add(stream);
    if (this.#open.size === 1) this.#keepBeating();
    stream.onAbort(() => this.#waiting.get(stream)?.());
    try {
      await this.#talk(stream, collect);
    } finally {
      this.#waiting.delete(stream);
      this.#open.delete(stream);
      if (this.#open.size === 0) this.#cancelBeat();
    }
  }

  /** Something happened that may be news to somebody. */
  pulse(): void {
    this.#pulses += 1;
    if (this.#waiting.size > 0) this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelBeat();
    this.#wake();
  }

  async #talk(stream: SSEStreamingApi, collect: Collect): Promise<void> {
    let seenBeats = this.#beats;
    while (!stream.aborted && !stream.closed && !this.#isClosed) {
      const seenPulses = this.#pulses;
      const { news, next } = collect();
      for (const each of news) await this.#write(stream, each);
      if (news.length === 0 && seenBeats !== this.#beats) await this.#write(stream, heartbeat);
      seenBeats = this.#beats;
      if (next === 'end') return;
      // Whoever went while it was written to is not there to be waited with.
      if (next === 'more' || stream.aborted) continue;
      await new Promise<void>((go) => {
        this.#waiting.set(stream, go);
        // What happened while it was written to is not waited for again.
        if (this.#pulses !== seenPulses) this.#arm();
      });
    }
  }

  async #write(stream: SSEStreamingApi, news: News): Promise<void> {
    const cancel = this.#clock.wakeAt(this.#clock.now() + patience, () => stream.abort());
    await stream.write(news);
    cancel();
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.wakeAt(this.#clock.now() + rhythm, () => {
      this.#isArmed = false;
      this.#wake();
    });
  }

  #wake(): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const go of all) go();
  }

  /** So that whoever is between us knows that we live, and we learn who has gone. */
  #keepBeating(): void {
    this.#cancelBeat = this.#clock.wakeAt(this.#clock.now() + beat, () => {
      this.#beats += 1;
      this.#wake();
      this.#keepBeating();
    });
  }
}
