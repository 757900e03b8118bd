/** What people ask of services by name, done with the parts of a supervisor. */
import { ProcletError } from '../errors.js';
import type { InstanceId, Request, StopCause, Tag, Why } from '../model.js';
import type { Input } from './instance.js';
import type { Leases } from './leases.js';
import type { Lineup } from './lineup.js';
import type { Lives } from './lives.js';
import type { Reloads } from './reloads.js';
import type { Roster } from './roster.js';
import type { Schedules } from './schedules.js';
import { resolveTargets, type Target } from './targets.js';
import type { Uses } from './uses.js';

export interface VerbParts {
  readonly roster: Roster;
  readonly leases: Leases;
  readonly lineup: Lineup;
  readonly lives: Lives;
  readonly reloads: Reloads;
  readonly uses: Uses;
  readonly schedules: Schedules;
  receive(key: string, input: Input): void;
  stop(keys: readonly string[], cause: StopCause): void;
  wake(tag: Tag): Promise<void>;
}

export type Verb = Exclude<Request, { type: 'shutdown' }>;

/** Answers whom it concerned. Throws ProcletError when it makes no sense for any of them. */
export function perform(verb: Verb, parts: VerbParts): readonly InstanceId[] {
  const targets = resolveTargets(verb.targets ?? [], parts.roster.services.values());
  switch (verb.type) {
    case 'signal':
      return signal(verb, targets, parts);
    case 'stop':
      for (const target of targets) stop(target, requested(verb.why), parts);
      return targets.flatMap(({ ids }) => ids);
    case 'restart':
      for (const target of targets) restart(target, requested(verb.why), parts);
      return targets.flatMap(({ ids }) => ids);
    case 'reload':
      return reload(targets, verb.why, parts);
    case 'send':
      return send(verb.text, targets, parts);
    case 'touch':
      return touch(targets, parts);
    case 'extend':
    case 'expire':
    case 'keep':
      return changeLeases(verb, targets, parts);
    default:
      return verb satisfies never;
  }
}

function requested(why: Why | undefined): StopCause {
  return { reason: 'requested', ...(why && { why }) };
}

function stop(
  { tag, ids, isWhole }: Target,
  cause: StopCause,
  { roster, leases, lineup, reloads, schedules, stop: end }: VerbParts,
): void {
  if (isWhole) {
    lineup.forget(tag);
    reloads.stop(tag);
    schedules.stop(tag);
    leases.receive(tag, { type: 'stopped' });
  }
  const meant = roster.of(tag).filter(({ spec }) => ids.includes(spec.id));
  const keys = meant.map(({ key }) => key);
  lineup.putDown(keys);
  end(keys, cause);
}

/** What is down is started, with what it is after; the lease of what runs goes on. */
function restart(
  { tag, ids, isWhole }: Target,
  cause: StopCause,
  { roster, leases, lineup, schedules, receive }: VerbParts,
): void {
  const service = roster.services.get(tag);
  roster.ask(tag);
  if (isWhole && service) schedules.set(service);
  if (isWhole && !roster.isBusy(tag)) {
    lineup.want(tag);
    return;
  }
  leases.receive(tag, { type: 'started' });
  for (const { key, spec } of roster.servingOf(tag)) {
    if (ids.includes(spec.id)) receive(key, { type: 'restart', cause });
  }
}

/** A new generation of what runs, or is to. */
function reload(
  targets: readonly Target[],
  why: Why | undefined,
  { roster, reloads }: VerbParts,
): readonly InstanceId[] {
  const running = targets.flatMap(({ tag, ids }) => {
    const own = roster.servingOf(tag).filter(({ key, goal }) => !roster.isAtRest(key) || goal === 'up');
    const meant = own.map(({ spec }) => spec.id).filter((id) => ids.includes(id));
    return roster.isBusy(tag) && meant.length > 0 ? [{ tag, meant }] : [];
  });
  if (running.length === 0) throw refused(targets, 'is down', 'proclet restart starts it');
  for (const { tag, meant } of running) reloads.renew(tag, { reason: 'replaced', ...(why && { why }) }, meant);
  return running.flatMap(({ meant }) => meant);
}

function signal({ signal, to }: Extract<Verb, { type: 'signal' }>, targets: readonly Target[], parts: VerbParts) {
  const { children, ids } = running(targets, parts);
  for (const { child } of children) child[to === 'leader' ? 'pass' : 'signal'](signal);
  return ids;
}

function send(text: string, targets: readonly Target[], parts: VerbParts): readonly InstanceId[] {
  const { children, ids } = running(targets, parts);
  if (ids.length === 0) throw refused(targets, 'is not running, so nobody can read that');
  const deaf = children.filter(({ child }) => !child.send(text)).map(({ id }) => id);
  if (deaf.length > 0) throw new ProcletError('REFUSED', `${deaf.join(', ')} does not read its standard input`);
  return ids;
}

function touch(targets: readonly Target[], { roster, uses, wake }: VerbParts): readonly InstanceId[] {
  const sleeping = ({ tag }: Target) => !roster.isBusy(tag) && roster.services.get(tag)?.start === 'on-access';
  const touched = targets.filter((target) => roster.isBusy(target.tag) || sleeping(target));
  if (touched.length === 0) throw refused(targets, 'is down', 'proclet restart starts it');
  for (const target of touched) {
    uses.touch(target.tag);
    roster.ask(target.tag);
    // Whether it comes up is told by events.
    if (sleeping(target)) wake(target.tag).catch(() => {});
  }
  return touched.flatMap(({ ids }) => ids);
}

function changeLeases(
  verb: Extract<Verb, { type: 'extend' | 'expire' | 'keep' }>,
  targets: readonly Target[],
  { leases }: VerbParts,
): readonly InstanceId[] {
  const busy = targets.filter(({ tag }) => leases.isHeld(tag));
  if (busy.length === 0) throw refused(targets, 'is down, and so is its lease', 'proclet restart starts it');
  const leased = busy.filter(({ tag }) => verb.type === 'expire' || leases.isLimited(tag));
  if (leased.length === 0) throw refused(busy, 'has no ttl and no idle window: it runs until it is stopped');
  for (const { tag } of leased) {
    const use = leases.useOf(tag);
    leases.receive(tag, verb.type === 'extend' ? { type: 'extend', by: verb.by, ...(use && { use }) } : verb);
  }
  return leased.flatMap(({ ids }) => ids);
}

/** The instances that run, those that come and go with them. */
function running(targets: readonly Target[], { roster, lives }: VerbParts) {
  const children = targets.flatMap(({ tag, ids }) =>
    roster.of(tag).flatMap((instance) => {
      const [id, child] = [instance.spec.id, lives.of(instance)];
      return child === undefined || !ids.includes(id) ? [] : [{ id, child }];
    }),
  );
  return { children, ids: [...new Set(children.map(({ id }) => id))] };
}

function refused(targets: readonly Target[], why: string, hint?: string): ProcletError {
  const who = targets.map(({ tag }) => tag);
  const text = who.length === 1 ? `${who[0]} ${why}` : `of ${who.join(', ')} each ${why}`;
  return new ProcletError('REFUSED', text, { hint });
}
