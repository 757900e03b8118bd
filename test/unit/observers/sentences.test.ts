import { describe, expect, test } from 'vitest';
import type { ProcletEvent, Why } from '../../../src/model.js';
import { createSentences } from '../../../src/observers/sentences.js';
import { at, exited } from '../../support/events.js';

/** Everything said about events that follow each other. */
function said(...events: ProcletEvent[]): string[] {
  const about = createSentences();
  return events.flatMap((event) => about(event)).map(({ text }) => text);
}

const spawned = (id = 'web.1', port = 5000): ProcletEvent => at({ type: 'spawned', id, pid: 812, port });
const killed = at({ type: 'killed', id: 'web.1', signal: 'SIGTERM', after: 5000 });
const ending = (why: Why, ...ids: string[]): ProcletEvent => at({ type: 'ending', why, ids });

describe('a start', () => {
  test('is told with its pid and port', () => {
    expect(said(spawned())).toEqual(['web.1 started (pid 812, port 5000)']);
  });

  test('without a port is told without one', () => {
    expect(said(spawned('web.1', 0))).toEqual(['web.1 started (pid 812)']);
  });

  test('that lasts is news only after a failure', () => {
    const up = at({ type: 'up', id: 'web.1', after: 1000, probed: false });
    const crash = exited({ next: { is: 'restart', delay: 1000, failures: 1 } });
    expect(said(spawned(), up)).toEqual(['web.1 started (pid 812, port 5000)']);
    expect(said(crash, up, up).slice(1)).toEqual(['web.1 is up again']);
  });
});

describe('a program that ends by itself', () => {
  test.each([
    [
      'is done when it ended well',
      { exit: { how: 'code', code: 0 }, ran: 12_000, next: { is: 'done' } },
      'web.1 exited with code 0 after 12s: done',
    ],
    [
      'is done when its status counts as success',
      { exit: { how: 'code', code: 127 }, expected: true, next: { is: 'done' } },
      'web.1 exited with code 127 (expected) after 300ms: done',
    ],
    [
      'is done when its signal counts as success',
      { exit: { how: 'signal', signal: 'SIGTERM' }, expected: true, next: { is: 'done' } },
      'web.1 was killed by SIGTERM (expected) after 300ms: done',
    ],
    ['may have ended badly and stay down', {}, 'web.1 exited with code 1 after 300ms'],
    [
      'is started again after a while',
      { ran: 1234, next: { is: 'restart', delay: 2000, failures: 2 } },
      'web.1 exited with code 1 after 1.2s, restarting in 2s (2nd failure)',
    ],
    [
      'names the signal that killed it',
      { exit: { how: 'signal', signal: 'SIGSEGV' }, next: { is: 'restart', delay: 1000, failures: 1 } },
      'web.1 was killed by SIGSEGV after 300ms, restarting in 1s (1st failure)',
    ],
    [
      'gets its status explained when its command does not exist',
      { exit: { how: 'code', code: 127 }, next: { is: 'restart', delay: 4000, failures: 3 } },
      'web.1 exited with code 127 (command not found) after 300ms, restarting in 4s (3rd failure)',
    ],
    [
      'gets its status explained when its command is no program',
      { exit: { how: 'code', code: 126 }, next: { is: 'restart', delay: 30_000, failures: 11 } },
      'web.1 exited with code 126 (not executable) after 300ms, restarting in 30s (11th failure)',
    ],
    [
      'may not even have begun',
      {
        exit: { how: 'spawn-error', message: 'spawn EAGAIN' },
        ran: 0,
        next: { is: 'restart', delay: 8000, failures: 4 },
      },
      'web.1 could not be started: spawn EAGAIN, restarting in 8s (4th failure)',
    ],
    [
      'fails for good after too many starts',
      { exit: { how: 'code', code: 127 }, next: { is: 'failed', failures: 5 } },
      'web.1 failed: 5 starts in a row ended too early, the last with code 127 (command not found)',
    ],
    [
      'fails for good by a signal',
      { exit: { how: 'signal', signal: 'SIGABRT' }, next: { is: 'failed', failures: 5 } },
      'web.1 failed: 5 starts in a row ended too early, the last by SIGABRT',
    ],
    [
      'may fail for good at once',
      { next: { is: 'failed', failures: 1 } },
      'web.1 failed: it exited with code 1 after 300ms',
    ],
  ] as const)('%s', (_, more, sentence) => {
    expect(said(exited(more))).toEqual([sentence]);
  });

  test('and leaves processes behind is told twice: when it goes, and when they are gone', () => {
    const exit = { how: 'code', code: 0 } as const;
    const orphaned = at({ type: 'orphaned', id: 'web.1', exit, processes: 2 });
    expect(said(orphaned, exited({ exit, took: 123, next: { is: 'done' } }))).toEqual([
      'web.1 exited with code 0 and left 2 processes behind; ending them',
      'what web.1 left behind is gone (TERM 0.1s): done',
    ]);
    expect(said(orphaned, killed, exited({ took: 5000, next: { is: 'restart', delay: 1000, failures: 1 } }))[1]).toBe(
      'what web.1 left behind ignored SIGTERM for 5s, so it was killed, restarting in 1s (1st failure)',
    );
  });

  test('whose port another has is told so in one bracket, with advice that does not take it for granted that it reads PORT', () => {
    const held = { port: { number: 5000, holder: 'node (pid 7)' }, next: { is: 'failed', failures: 5 } } as const;
    const note = 'port 5000 is held by node (pid 7); if the program reads PORT, -p auto takes a free one';
    expect(said(exited(held))).toEqual([
      `web.1 failed: 5 starts in a row ended too early, the last with code 1 (${note})`,
    ]);
    const orphaned = at({ type: 'orphaned', id: 'web.1', exit: { how: 'code', code: 1 }, processes: 2 });
    expect(said(orphaned, exited({ ...held, took: 123, next: { is: 'down' } }))[1]).toBe(
      `what web.1 left behind is gone (TERM 0.1s; ${note})`,
    );
  });

  test('with the same lines after another change has them counted, and not shown once more', () => {
    const about = createSentences();
    const end = exited({ next: { is: 'failed', failures: 1, awaitsChange: true } });
    expect(about(end, 0)[0]?.lastWordsOf).toBe('web.1');
    expect(about(end, 4)).toEqual([
      {
        text: 'web.1 failed: it exited with code 1 after 300ms with the same 4 lines again; waiting for a change',
        mark: 'failure',
      },
    ]);
  });

  test('because proclet stopped it is not said to have ended by itself, or well', () => {
    const end = { exit: { how: 'code', code: 0 }, unready: true, ran: 30_000, took: 44 } as const;
    expect(said(exited({ ...end, next: { is: 'restart', delay: 1000, failures: 1 } }))).toEqual([
      'web.1 was stopped, because it was not ready in 30s, restarting in 1s (1st failure)',
    ]);
    expect(said(exited({ ...end, next: { is: 'failed', failures: 5 } }))).toEqual([
      'web.1 failed: 5 starts in a row ended too early, the last because it was not ready in 30s',
    ]);
    expect(said(killed, exited({ ...end, exit: { how: 'signal', signal: 'SIGKILL' } }))).toEqual([
      'web.1 was stopped, because it was not ready in 30s: it ignored SIGTERM for 5s, so it was killed (1 process)',
    ]);
    const coming = { role: 'coming', generation: 2 } as const;
    expect(said(exited({ ...end, ...coming }))).toEqual([
      'web.1 (generation 2) was stopped, because it was not ready in 30s',
    ]);
    const unready = { type: 'unready', id: 'web.1', generation: 2, coming: true, after: 30_000, waiting: [] } as const;
    expect(said(at(unready))).toEqual(['web.1 (generation 2) is not ready after 30s; ending it']);
  });

  test('has its last words repeated when it failed for good', () => {
    const about = createSentences();
    expect(about(exited({ next: { is: 'failed', failures: 5 } }))[0]?.lastWordsOf).toBe('web.1');
    expect(about(exited({ next: { is: 'restart', delay: 0, failures: 1 } }))[0]?.lastWordsOf).toBeUndefined();
  });
});

describe('a program that was stopped', () => {
  const exit = { how: 'signal', signal: 'SIGTERM' } as const;
  test.each([
    [
      'by its lease says how long it had',
      { cause: { reason: 'ttl', window: 1_800_000 }, processes: 9, took: 200 },
      'psgi.1 expired after 30m (9 processes, TERM 200ms)',
    ],
    [
      'on request says what it took',
      { cause: { reason: 'requested' }, processes: 2, took: 123 },
      'psgi.1 stopped (2 processes, TERM 0.1s)',
    ],
    [
      'to be started again says so',
      { cause: { reason: 'requested' }, took: 123, next: { is: 'restart', delay: 0, failures: 0 } },
      'psgi.1 stopped (1 process, TERM 0.1s), starting again',
    ],
    [
      'on request of somebody says whose',
      {
        cause: { reason: 'requested', why: { is: 'control', verb: 'restart', from: 'command', pid: 4711 } },
        took: 123,
        next: { is: 'restart', delay: 0, failures: 0 },
      },
      'psgi.1 stopped (1 process, TERM 0.1s), starting again: proclet restart (pid 4711)',
    ],
    [
      'with the run does not repeat why',
      { cause: { reason: 'shutdown', why: { is: 'hangup' } }, took: 123 },
      'psgi.1 stopped (1 process, TERM 0.1s)',
    ],
    [
      'because the lease of what needed it has ended says so',
      { cause: { reason: 'ttl', window: 60_000, why: { is: 'unneeded', tag: 'web' } }, took: 123 },
      'psgi.1 stopped (1 process, TERM 0.1s): only web needed it',
    ],
    [
      'because a file changed says so',
      { cause: { reason: 'changed' }, took: 123, next: { is: 'restart', delay: 0, failures: 0 } },
      'psgi.1 stopped for a change (1 process, TERM 0.1s), starting again',
    ],
    [
      'by its successor says so',
      { cause: { reason: 'replaced' }, took: 123 },
      'psgi.1 was replaced (1 process, TERM 0.1s)',
    ],
    [
      'and killed at once says so',
      { cause: { reason: 'shutdown' }, exit: { how: 'signal', signal: 'SIGKILL' }, processes: 3, took: 10 },
      'psgi.1 was killed (3 processes)',
    ],
    [
      'and killed by a second stop says so',
      { cause: { reason: 'shutdown' }, exit: { how: 'signal', signal: 'SIGKILL' }, took: 10, forced: 'request' },
      'psgi.1 was killed, as a second stop asked (1 process)',
    ],
  ] as const)('%s', (_, more, sentence) => {
    expect(said(exited({ id: 'psgi.1', exit, ...more }))).toEqual([sentence]);
  });

  test('and ignored the signal is told when it is over', () => {
    const end = { exit: { how: 'signal', signal: 'SIGKILL' }, processes: 3, took: 5010 } as const;
    expect(said(killed, exited({ ...end, cause: { reason: 'shutdown' } }))).toEqual([
      'web.1 ignored SIGTERM for 5s, so it was killed (3 processes)',
    ]);
    expect(said(killed, exited({ ...end, cause: { reason: 'ttl', window: 60_000 } }))).toEqual([
      'web.1 expired after 1m: it ignored SIGTERM for 5s, so it was killed (3 processes)',
    ]);
  });

  test('and has processes that would not go names them', () => {
    const survivors = [
      { pid: 812, state: 'D', command: 'cp /mnt/x' },
      { pid: 813, state: 'D', command: 'cp /mnt/y' },
    ];
    expect(said(exited({ cause: { reason: 'shutdown' }, took: 9000, survivors: survivors.slice(1) }))[1]).toBe(
      'web.1: 1 process could not be ended: pid 813 (D, cp /mnt/y)',
    );
    expect(said(exited({ cause: { reason: 'shutdown' }, took: 9000, survivors }))[1]).toBe(
      'web.1: 2 processes could not be ended: pid 812 (D, cp /mnt/x), pid 813 (D, cp /mnt/y)',
    );
  });
});

describe('a shutdown', () => {
  test.each<[string, Why, string]>([
    ['a signal', { is: 'signal', signal: 'SIGTERM' }, 'SIGTERM'],
    ['a signal that a key sends', { is: 'signal', signal: 'SIGINT', inFront: true }, 'SIGINT (Ctrl-C)'],
    ['another signal that a key sends', { is: 'signal', signal: 'SIGQUIT', inFront: true }, 'SIGQUIT (Ctrl-\\)'],
    ['a command', { is: 'control', verb: 'stop', from: 'command', pid: 4711 }, 'proclet stop (pid 4711)'],
    ['a client that says nothing of itself', { is: 'control', verb: 'stop', from: 'command' }, 'proclet stop'],
    ['the launcher', { is: 'control', verb: 'stop', from: 'launcher', pid: 4711 }, 'the launcher (pid 4711)'],
    ['a key', { is: 'key', key: 'q' }, 'key q'],
    ['the end of its terminal', { is: 'hangup' }, 'the terminal was closed'],
    ['the end of its reader', { is: 'unread' }, 'nobody reads the output'],
    ['an output that fails', { is: 'unwritable' }, 'the output cannot be written'],
    ['a time', { is: 'until' }, '--until'],
    ['the end of a process', { is: 'until-exit' }, '--until-exit'],
    ['the end of its input', { is: 'stdin-quit' }, '--stdin-quit'],
    ['the library', { is: 'library' }, 'stop() was called'],
    ['a bug', { is: 'bug' }, 'a bug in proclet'],
    ['the end of one of them', { is: 'on-exit', id: 'job.1' }, 'job.1 has ended (--on-exit stop)'],
  ])('for %s says so', (_, why, words) => {
    expect(said(ending(why, 'web.1', 'db.1'))).toEqual([`stopping web.1 and db.1: ${words}`]);
  });

  test('of many counts them, of nothing is no news', () => {
    expect(said(ending({ is: 'hangup' }, 'a.1', 'a.2', 'a.3', 'a.4'))).toEqual([
      'stopping 4 instances: the terminal was closed',
    ]);
    expect(said(ending({ is: 'hangup' }))).toEqual([]);
  });

  test('is not a stop of one', () => {
    const stop = at({
      type: 'stopping',
      id: 'web.1',
      generation: 1,
      cause: { reason: 'requested' },
      signal: 'SIGTERM',
      grace: 5000,
    });
    expect(said(spawned(), stop)).toHaveLength(1);
  });

  test('needs no word when it is over', () => {
    expect(said(at({ type: 'stopped', status: 130 }))).toEqual([]);
  });
});

test('an approaching end is announced', () => {
  expect(said(at({ type: 'expiring', tag: 'psgi', reason: 'ttl', in: 60_000 }))).toEqual([
    'psgi expires in 1m (proclet extend psgi 30m)',
  ]);
});

test('a notice of several lines is as many sentences', () => {
  expect(said(at({ type: 'notice', text: 'one\ntwo' }))).toEqual(['one', 'two']);
});

test('what a sentence quotes cannot reach the terminal as a control', () => {
  const survivors = [{ pid: 1, state: 'D', command: 'evil \x1b[2J\x9b' }];
  expect(said(exited({ survivors }))[1]).toContain('evil \\x1b[2J\\x9b');
});

test('what went wrong is marked', () => {
  const about = createSentences();
  const marks = [
    spawned(),
    exited({ next: { is: 'restart', delay: 1000, failures: 1 } }),
    exited({ next: { is: 'failed', failures: 5 } }),
    exited({ exit: { how: 'code', code: 0 }, next: { is: 'done' } }),
  ].map((event) => about(event)[0]?.mark);
  expect(marks).toEqual(['plain', 'warning', 'failure', 'plain']);
});

test('what another user owns is named with what to do about it', () => {
  const survivors = [
    { pid: 41, state: 'S', command: 'a', denied: true as const },
    { pid: 42, state: 'S', command: 'b', denied: true as const },
    { pid: 43, state: 'D', command: 'c' },
  ];
  expect(said(exited({ survivors }))[1]).toMatch(
    /3 processes could not be ended: .*; 41 and 42 are of another user, end with: sudo kill -KILL 41 42$/,
  );
});

test('what a proclet left that was killed inside a service is named with that proclet', () => {
  const nested = [{ processes: 2, pid: 77, root: '/srv/inner' }, { processes: 1 }];
  expect(said(exited({ cause: { reason: 'requested' }, took: 100, nested })).slice(1)).toEqual([
    expect.stringMatching(/: 2 processes of a proclet \(pid 77, \/srv\/inner\) that was killed inside it/),
    expect.stringMatching(/: 1 process of a proclet that was killed inside it/),
  ]);
});
