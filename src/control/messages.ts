/** What a client may say, as a schema. Loaded with the first request, because a run that nobody asks does not need it. */
import * as z from 'zod';
import { longestRequest, protocolVersion } from './protocol.js';

const targets = z.array(z.string().max(200), 'must be a list of services and instances').max(1000).default([]);
const millis = z.number('must be a number of milliseconds').min(0).max(Number.MAX_SAFE_INTEGER);
const text = z.string('must be a text').max(longestRequest);
/** Who asks, for those who read why something ended. */
const from = z.enum(['command', 'launcher']).default('command');
const pid = z.int().min(1).optional();
const size = z.int().min(1).max(10_000);

const verbs = [
  z.object({ verb: z.literal('hello') }),
  z.object({ verb: z.literal('ps'), usage: z.boolean().default(false) }),
  z.object({ verb: z.literal('stop'), targets, dryRun: z.boolean().default(false), from, pid }),
  z.object({ verb: z.literal('restart'), targets, from, pid }),
  z.object({
    verb: z.literal('reload'),
    targets,
    timeout: millis.default(60_000),
    /** Whether the answer waits for what becomes of it. */
    wait: z.boolean().default(true),
    from,
    pid,
  }),
  z.object({ verb: z.literal('scale'), counts: z.record(z.string(), z.int().min(0).max(1000)) }),
  z.object({
    verb: z.literal('signal'),
    targets,
    signal: z.string().regex(/^SIG[A-Z0-9+-]+$/, 'must be a name such as SIGHUP'),
    to: z.enum(['leader', 'tree']).default('tree'),
  }),
  z.object({ verb: z.literal('extend'), targets, by: millis }),
  z.object({ verb: z.literal('expire'), targets, from, pid }),
  z.object({ verb: z.enum(['touch', 'keep']), targets }),
  z.object({ verb: z.literal('send'), targets, text }),
  z.object({
    verb: z.literal('events'),
    targets,
    /** Wall time in milliseconds; what happened before is left out. */
    since: z.number().default(0),
    /** The last so many. */
    last: z.int().min(0).max(100_000).default(100_000),
    follow: z.boolean().default(false),
    only: z.enum(['output', 'all', 'no-output']).default('all'),
    /** Whether unfinished lines are sent as they are. */
    open: z.boolean().default(false),
    /** Whether what is a secret in them is sent, before the events that may hold it. */
    secrets: z.boolean().default(false),
  }),
  z.object({ verb: z.literal('wait'), targets, timeout: millis }),
  z.object({
    verb: z.literal('attach'),
    target: z.string().max(200),
    columns: size.default(80),
    rows: size.default(24),
  }),
  z.object({ verb: z.literal('resize'), target: z.string().max(200), columns: size, rows: size }),
] as const;

const id = z.union([z.string().max(200), z.number(), z.null()]).default(null);
const envelope = z.object({ v: z.literal(protocolVersion, `must be ${protocolVersion}`), id });
const verb = z.discriminatedUnion('verb', verbs);

export type Message = z.output<typeof verb>;

/** A line from a client as a message, or what is wrong with it. `id` is that of the line, if it has one. */
export function readMessage(
  line: string,
): { id: z.output<typeof id>; message: Message } | { id: z.output<typeof id>; problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { id: null, problem: 'that line is not JSON' };
  }
  const head = envelope.safeParse(value);
  const given = id.safeParse((value as { id?: unknown } | null)?.id);
  const known = given.success ? given.data : null;
  if (!head.success) return { id: known, problem: problemOf(head.error) };
  const body = verb.safeParse(value);
  return body.success ? { id: known, message: body.data } : { id: known, problem: problemOf(body.error) };
}

function problemOf({ issues }: z.ZodError): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
