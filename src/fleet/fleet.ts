/**
 * Every run of this user that lives: found by what it leaves word of, followed through its socket, and remembered for
 * a while after its end. Knows nothing of projects.
 */
import type { ControlClient } from '../control/client.js';
import type { Status } from '../control/protocol.js';
import { ProcletError } from '../errors.js';
import type { Millis, ProcletEvent, Tag } from '../model.js';
import { createSentences } from '../observers/sentences.js';
import { type LiveRun, liveRuns } from '../platform/runs.js';
import type { Clock } from '../ports.js';
import { SecretsByRoot } from '../secrets.js';
import { eventFromWire } from '../wire.js';
import { answerOf, answersWithin, askRun, connectTo } from './reach.js';
import { measure, type SeenRun, type SeenService, seenNow, seenSilent } from './seen-run.js';

export type { SeenRun, SeenService };

/** What was last said about the end of a service, and when by wall time. */
export interface LastEnd {
  readonly at: number;
  readonly text: string;
  readonly isFailure: boolean;
}

type Message = Parameters<ControlClient['request']>[0];

export interface Fleet {
  /** As they stood when somebody last looked, oldest first. */
  readonly runs: readonly SeenRun[];
  /**
   * Looks at every run now, at all of them at once; those that do not answer within a second are silent.
   * `measured` asks the machine for memory and ports besides.
   */
  look(measured?: boolean): Promise<void>;
  /** Rejects with a ProcletError for what the run refuses, when it has gone, or (TIMEOUT) does not answer. */
  ask<T>(run: string, message: Message): Promise<T>;
  /** Events of one run, until the returned function is called or it ends. */
  follow(run: string, message: FollowMessage, told: Told): () => void;
  /** What runs say is a secret in their texts; those of runs that have ended stay. */
  readonly secrets: SecretsByRoot;
  /** Of a service of a directory; absent while it never ended. */
  lastEnd(root: string, tag: Tag): LastEnd | undefined;
  /** Called after something happened to any run. */
  onChange(changed: () => void): () => void;
  close(): void;
}

export interface FollowMessage {
  readonly targets: readonly Tag[];
  readonly only: 'output' | 'all' | 'no-output';
  readonly last: number;
  readonly since?: number;
}

export interface Told {
  event(event: ProcletEvent): void;
  /** There were more than could be read: what is remembered of them follows, from the start. */
  anew(): void;
  /** The run has ended. */
  over(): void;
}

interface Followed {
  readonly live: LiveRun;
  /** Absent while it takes no connections. */
  events: ControlClient | undefined;
  /** A question that it has not answered. */
  asked: Promise<unknown> | undefined;
  seen: SeenRun | undefined;
}

const remembered = 1_000;
/** Things happen in bursts: one look for all of them. */
const burst: Millis = 30;
/** Who prints more than can be read is read again after this. */
const catchUp: Millis = 300;

/** `ended` is told of each end of a service. */
export function createFleet(clock: Clock, ended: (run: LiveRun, text: string) => void = () => {}): Fleet {
  return new FollowedFleet(clock, ended);
}

class FollowedFleet implements Fleet {
  readonly secrets = new SecretsByRoot();
  readonly #clock: Clock;
  readonly #ended: (run: LiveRun, text: string) => void;
  readonly #followed = new Map<string, Followed>();
  readonly #ends = new Map<string, LastEnd>();
  readonly #listeners = new Set<() => void>();
  #looking: Promise<void> | undefined;
  #again = () => {};
  #isClosed = false;

  constructor(clock: Clock, ended: (run: LiveRun, text: string) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  get runs(): readonly SeenRun[] {
    return [...this.#followed.values()].flatMap(({ seen }) => seen ?? []).sort((a, b) => a.since - b.since);
  }

  async look(measured = false): Promise<void> {
    // Who asks while others wait gets an answer that is not older than the question.
    while (this.#looking) await this.#looking;
    this.#looking = this.#lookNow(measured).finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async ask<T>(run: string, message: Message): Promise<T> {
    const live = this.#followed.get(run)?.live;
    if (live === undefined) throw new ProcletError('NOT_RUNNING', 'that proclet has ended');
    return askRun<T>(live, message, this.#clock);
  }

  follow(run: string, message: FollowMessage, told: Told): () => void {
    const live = this.#followed.get(run)?.live;
    let isWanted = live !== undefined;
    let leave = () => {};
    const begin = () => {
      leave = this.#followOnce(live as LiveRun, message, {
        event: (event) => isWanted && told.event(event),
        missed: () => {
          leave();
          leave = this.#clock.wakeAt(this.#clock.now() + catchUp, () => {
            told.anew();
            begin();
          });
        },
        over: () => isWanted && told.over(),
      });
    };
    if (isWanted) begin();
    return () => {
      isWanted = false;
      leave();
    };
  }

  lastEnd(root: string, tag: Tag): LastEnd | undefined {
    return this.#ends.get(`${root}\0${tag}`);
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  close(): void {
    this.#isClosed = true;
    this.#again();
    for (const { events } of this.#followed.values()) events?.close();
    this.#followed.clear();
  }

  /** Until it is called off, has missed something, or the run has ended. */
  #followOnce(
    live: LiveRun,
    message: FollowMessage,
    told: { event(event: ProcletEvent): unknown; missed(): void; over(): unknown },
  ): () => void {
    let isOver = false;
    let close = () => {};
    const end = (last: () => unknown) => {
      if (isOver) return;
      isOver = true;
      close();
      last();
    };
    connectTo(live, this.#clock)
      .then((client) => {
        close = () => client.close();
        if (isOver) return close();
        return client.request<void>({ verb: 'events', follow: true, secrets: true, ...message }, (item) => {
          if ('secrets' in item) this.secrets.add(live.root, item.secrets);
          if ('skipped' in item) return end(told.missed);
          const event = 'event' in item ? eventFromWire(item.event) : undefined;
          if (event !== undefined && !isOver) told.event(event);
        });
      })
      .finally(() => end(told.over))
      .catch(() => {}); // it has gone, which is its end
    return () => end(() => {});
  }

  async #lookNow(measured: boolean): Promise<void> {
    const runs = liveRuns();
    for (const [run, { events }] of this.#followed) {
      if (events === undefined && !runs.some((live) => live.run === run)) this.#followed.delete(run);
    }
    await Promise.all(runs.map((live) => this.#meet(live)));
    const all = [...this.#followed.values()];
    await Promise.all(all.map((one) => this.#statusOf(one)));
    if (measured) measure(all);
    for (const changed of this.#listeners) changed();
  }

  /**
   * Its events have a connection of their own, on which nothing is asked: who writes to a run that ends loses what it
   * has said last.
   */
  async #meet(live: LiveRun): Promise<void> {
    const known = this.#followed.get(live.run);
    if (known?.events !== undefined || this.#isClosed) return;
    try {
      const events = await connectTo(live, this.#clock);
      const one: Followed = { live, asked: undefined, seen: undefined, ...known, events };
      this.#followed.set(live.run, one);
      const sentences = createSentences();
      const message = { verb: 'events', follow: true, only: 'no-output', last: 0, secrets: true };
      events
        .request(message, (item) => {
          if ('secrets' in item) this.secrets.add(live.root, item.secrets);
          const event = 'event' in item ? eventFromWire(item.event) : undefined;
          if (event !== undefined) this.#happened(live, event, sentences);
        })
        .catch(() => {}) // it has gone
        .finally(() => this.#gone(one));
    } catch (error) {
      // It is going, or does not listen yet: the next look will tell.
      if ((error as ProcletError).code !== 'TIMEOUT' || known !== undefined) return;
      this.#followed.set(live.run, { live, events: undefined, asked: undefined, seen: undefined });
    }
  }

  /** One that is silent already is not waited for: it is asked once, and its answer is news. */
  async #statusOf(one: Followed): Promise<void> {
    if (one.asked !== undefined) return this.#silenced(one);
    const asked = this.#question(one);
    one.asked = asked;
    asked.finally(() => {
      one.asked = undefined;
    });
    await answerOf(asked, one.live, this.#clock, answersWithin).catch(() => this.#silenced(one));
  }

  async #question(one: Followed): Promise<void> {
    try {
      const client = await connectTo(one.live, this.#clock);
      const status = await client.request<Status>({ verb: 'ps' }).finally(() => client.close());
      const wasSilent = one.seen?.silence !== undefined;
      one.seen = seenNow(status, this.#clock.wall(), one.seen);
      if (wasSilent) this.#lookSoon();
    } catch (error) {
      if ((error as ProcletError).code === 'TIMEOUT') this.#silenced(one);
      // Otherwise it has gone, and its events end, too.
    }
  }

  #silenced(one: Followed): void {
    one.seen = seenSilent(one.live, this.#clock.wall(), one.seen);
  }

  #happened(live: LiveRun, event: ProcletEvent, sentences: ReturnType<typeof createSentences>): void {
    const said = sentences(event);
    const tag = tagOf(event);
    if (tag !== undefined && said.length > 0) {
      this.#remember(`${live.root}\0${tag}`, event, said);
      this.#ended(live, said.map(({ text }) => text).join('; '));
    }
    this.#lookSoon();
  }

  #remember(key: string, event: ProcletEvent, said: ReturnType<ReturnType<typeof createSentences>>): void {
    // Who was only waiting for its next life has ended before, and that is the news.
    const isEmpty = event.type === 'exited' && event.processes === 0 && event.cause !== undefined;
    if (isEmpty && this.#ends.has(key)) return;
    const isFailure = said.some(({ mark }) => mark === 'failure' || mark === 'warning');
    this.#ends.delete(key);
    this.#ends.set(key, { at: event.at, text: said.map(({ text }) => text).join('; '), isFailure });
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > remembered && oldest !== undefined) this.#ends.delete(oldest);
  }

  #gone(one: Followed): void {
    one.events?.close();
    if (this.#followed.get(one.live.run) !== one) return;
    this.#followed.delete(one.live.run);
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    this.#again();
    this.#again = this.#clock.wakeAt(this.#clock.now() + burst, () => void this.look());
  }
}

/** Whose end an event tells of. */
function tagOf(event: ProcletEvent): Tag | undefined {
  if (event.type === 'stranded') return event.tag;
  return event.type === 'exited' ? event.id.slice(0, event.id.lastIndexOf('.')) : undefined;
}
