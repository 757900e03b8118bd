import { describe, expect, test } from 'vitest';
import type { ProcletEvent } from '../../../src/model.js';
import { timeOfDay } from '../../../src/observers/margin.js';
import { createTerminal, type TerminalOptions } from '../../../src/observers/terminal.js';
import { at, exited, noon, output } from '../../support/events.js';
import { memorySink } from '../../support/memory-sink.js';

interface Look extends Partial<Omit<TerminalOptions, 'sink'>> {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a terminal prints for some events. */
function printed(events: readonly ProcletEvent[], { isTTY = false, columns = 80, ...look }: Look = {}) {
  const sink = memorySink({ isTTY, columns });
  const { observe } = createTerminal({
    sink,
    color: false,
    childColor: 'pass',
    timestamp: false,
    ids: ['web.1', 'worker.1'],
    positions: new Map([
      ['web', 0],
      ['worker', 1],
    ]),
    quiet: [],
    lastWords: () => [],
    time: (moment) => new Date(moment).toISOString().slice(11, 19),
    ...look,
  });
  for (const event of events) observe(event);
  return sink;
}

const theirs = (text: string) => output(text, { id: 'worker.1' });
const open = (text: string, shown = 0) => output(text, { end: 'open', shown });

describe('a row', () => {
  test('is time, name and text, in columns', () => {
    const events = [output('one\ntwo\n'), theirs('three\n'), at({ type: 'notice', text: 'hello' }, noon + 1000)];
    expect(printed(events, { timestamp: true }).text).toBe(
      [
        '12:23:16 web.1    | one',
        '12:23:16 web.1    | two',
        '12:23:16 worker.1 | three',
        '12:23:17 proclet  | hello',
        '',
      ].join('\n'),
    );
  });

  test('has no time when none is wanted', () => {
    expect(printed([output('one\n')]).text).toBe('web.1    | one\n');
  });

  test('has room for the widest name, proclet included', () => {
    expect(printed([output('one\n')], { ids: ['web.1'] }).text).toBe('web.1   | one\n');
  });

  test('of nothing is a margin alone', () => {
    expect(printed([output('\n\n')]).text).toBe('web.1    | \nweb.1    | \n');
  });

  test('keeps bytes that are not UTF-8', () => {
    const event = at({
      type: 'output',
      id: 'web.1',
      stream: 'stdout',
      text: '\xff\xfe\n',
      shown: 0,
      continued: false,
      end: 'line',
    });
    expect(printed([event]).writes).toEqual(['web.1    | \xff\xfe\n']);
  });

  test('takes one write, however many lines there are', () => {
    expect(printed([output('one\ntwo\nthree\n')]).writes).toHaveLength(1);
  });

  test('does not take a dollar sign for an instruction', () => {
    expect(printed([output('$& $1\n$$\n')]).text).toBe('web.1    | $& $1\nweb.1    | $$\n');
  });

  test('has the time of day where the reader is', () => {
    const date = new Date(2026, 10, 22, 7, 5, 3);
    expect(timeOfDay(date.getTime())).toBe('07:05:03');
  });
});

describe('colour', () => {
  test('belongs to the tag, and proclet has none of theirs', () => {
    const events = [output('a\n'), output('b\n', { id: 'web.2' }), theirs('c\n'), at({ type: 'notice', text: 'd' })];
    expect(printed(events, { color: true }).text.replaceAll('\x1b', '^').split('\n')).toEqual([
      '^[38;5;31mweb.1    |^[39m a',
      '^[38;5;31mweb.2    |^[39m b',
      '^[38;5;164mworker.1 |^[39m c',
      '^[38;5;243mproclet  |^[39m d',
      '',
    ]);
  });

  test('shows failures', () => {
    const text = printed([exited({ next: { is: 'failed', failures: 5 } })], { color: true }).text;
    expect(text).toContain('\x1b[1m\x1b[38;5;196mweb.1 failed: 5 starts');
  });

  test('of a service does not bleed into the next margin, and goes on behind it', () => {
    const events = [output('\x1b[1;31mred\nstill\x1b[0m\nplain\n')];
    expect(printed(events, { color: true, positions: new Map() }).text.replaceAll('\x1b', '^').split('\n')).toEqual([
      '^[38;5;31mweb.1    |^[39m ^[1;31mred^[0m',
      '^[38;5;31mweb.1    |^[39m ^[1;31mstill^[0m',
      '^[38;5;31mweb.1    |^[39m plain',
      '',
    ]);
  });

  test('of one stream is kept apart from that of another', () => {
    const events = [
      output('\x1b[31mred\n'),
      output('err\n', { stream: 'stderr' }),
      theirs('theirs\n'),
      output('red\n'),
    ];
    expect(printed(events, { isTTY: true }).text.replaceAll('\x1b', '^').split('\n')).toEqual([
      'web.1    | ^[31mred^[0m',
      'web.1    | err',
      'worker.1 | theirs',
      'web.1    | ^[31mred^[0m',
      '',
    ]);
  });

  test('of a service passes through a pipe when nobody asked for none', () => {
    expect(printed([output('\x1b[31mred\nred\n')]).text).toBe('web.1    | \x1b[31mred\nweb.1    | red\n');
  });

  test('of a service is taken out when someone asked for none', () => {
    const text = '\x1b[31mred\x1b[0m\n';
    expect(printed([output(text)], { childColor: 'strip' }).text).toBe('web.1    | red\n');
    expect(printed([output(text)], { childColor: 'strip', isTTY: true }).text).toBe('web.1    | red\n');
  });
});

describe('a prompt', () => {
  test('appears at once, and goes on where it stood', () => {
    const events = [open('name? '), open('name? again? ', 6), output('name? again? ok\nnext\n', { shown: 13 })];
    expect(printed(events).writes).toEqual(['web.1    | name? ', 'again? ', 'ok\nweb.1    | next\n']);
  });

  test('in a pipe is told twice at most, however often it is rewritten between the lines of others', () => {
    const steps = Array.from({ length: 100 }, (_, n) => `\r${n} %`);
    const events: ProcletEvent[] = [];
    steps.forEach((_, n) => {
      events.push(open(steps.slice(0, n + 1).join(''), steps.slice(0, n).join('').length), theirs('other\n'));
    });
    events.push(output(`${steps.join('')}\n`, { shown: steps.join('').length }));
    const own = printed(events).text.replaceAll('worker.1 | other\n', '');
    expect(own.length).toBeLessThan(2 * steps.join('').length);
    expect(own.endsWith(`${steps.join('')}\n`)).toBe(true);
  });

  test('in a pipe gives way to others, and is repeated whole', () => {
    const events = [open('name? '), theirs('hello\n'), output('name? ok\n', { shown: 6 })];
    expect(printed(events).text).toBe('web.1    | name? \nworker.1 | hello\nweb.1    | name? ok\n');
  });

  test('in a terminal stays at the bottom', () => {
    const events = [
      open('name? '),
      theirs('hello\n'),
      at({ type: 'notice', text: 'news' }),
      output('name? ok\n', { shown: 6 }),
    ];
    expect(printed(events, { isTTY: true }).writes).toEqual([
      'web.1    | name? ',
      '\r\x1b[Kworker.1 | hello\nweb.1    | name? ',
      '\r\x1b[Kproclet  | news\nweb.1    | name? ',
      'ok\n',
    ]);
  });

  test('that fills more than a row of the terminal is not erased', () => {
    const events = [open('name? '), theirs('hello\n'), output('name? ok\n', { shown: 6 })];
    expect(printed(events, { isTTY: true, columns: 17 }).writes).toEqual([
      'web.1    | name? ',
      '\nworker.1 | hello\n',
      'web.1    | name? ok\n',
    ]);
  });

  test('gives way to another prompt', () => {
    const events = [open('a? '), output('b? ', { id: 'worker.1', end: 'open' }), output('a? yes\n', { shown: 3 })];
    expect(printed(events, { isTTY: true }).writes).toEqual([
      'web.1    | a? ',
      '\nworker.1 | b? ',
      '\r\x1b[Kweb.1    | a? yes\nworker.1 | b? ',
    ]);
  });

  test('of the other stream of the same instance is another one', () => {
    const events = [open('a? '), output('error\n', { stream: 'stderr' }), output('a? yes\n', { shown: 3 })];
    expect(printed(events).text).toBe('web.1    | a? \nweb.1    | error\nweb.1    | a? yes\n');
  });

  test('with a colour has it again when it goes on', () => {
    const events = [open('\x1b[1mname? '), output('\x1b[1mname? ok\nnext\n', { shown: 10 })];
    expect(printed(events, { isTTY: true }).writes).toEqual([
      'web.1    | \x1b[1mname? \x1b[0m',
      '\x1b[1mok\x1b[0m\nweb.1    | \x1b[1mnext\x1b[0m\n',
    ]);
  });

  test('does not stay on the last row when the run is over', () => {
    expect(printed([open('name? '), at({ type: 'stopped', status: 0 })]).text).toBe('web.1    | name? \n');
  });
});

describe('a progress bar', () => {
  test('redraws itself behind its margin in a terminal', () => {
    const events = [open('10%'), open('10%\r20%', 3), output('10%\r20%\rdone\n', { shown: 7 })];
    expect(printed(events, { isTTY: true }).writes).toEqual([
      'web.1    | 10%',
      '\rweb.1    | 20%',
      '\rweb.1    | done\n',
    ]);
  });

  test('comes back as it was last seen', () => {
    const events = [open('10%\r20%\r'), theirs('hello\n')];
    expect(printed(events, { isTTY: true }).writes[1]).toBe('\r\x1b[Kworker.1 | hello\nweb.1    | 20%');
  });

  test('passes through a pipe untouched', () => {
    expect(printed([output('10%\r20%\r\n')]).text).toBe('web.1    | 10%\r20%\n');
  });
});

describe('a very long line', () => {
  const cut = (text: string, continued: boolean) => output(text, { end: 'cut', continued });
  const rest = output('end\n', { continued: true });

  test('has one margin', () => {
    expect(printed([cut('aaa', false), cut('bbb', true), rest]).text).toBe('web.1    | aaabbbend\n');
  });

  test('that was interrupted goes on behind a margin of its own', () => {
    const text = 'web.1    | aaa\nworker.1 | hello\nweb.1    | bbbend\n';
    expect(printed([cut('aaa', false), theirs('hello\n'), cut('bbb', true), rest]).text).toBe(text);
    expect(printed([cut('aaa', false), theirs('hello\n'), cut('bbb', true), rest], { isTTY: true }).text).toBe(text);
  });
});

describe('a quiet service', () => {
  test('is not shown, but spoken of', () => {
    const events = [output('secret\n'), theirs('hello\n'), exited({})];
    expect(printed(events, { quiet: ['web'] }).text).toBe(
      'worker.1 | hello\nproclet  | web.1 exited with code 1 after 300ms\n',
    );
  });

  test('has its last words shown when it failed', () => {
    const lastWords = (id: string, count: number) => [`${id} \x1b[31mred`, `${count}\r`];
    const events = [exited({ next: { is: 'failed', failures: 5 } })];
    expect(
      printed(events, { quiet: ['web'], lastWords })
        .text.split('\n')
        .slice(1),
    ).toEqual(['proclet  |   web.1 red', 'proclet  |   5', '']);
  });
});

test('proclet speaks UTF-8', () => {
  expect(printed([at({ type: 'notice', text: 'größe 😀' })]).text).toBe('proclet  | größe 😀\n');
});
