/** What the keys mean while proclet is in front of a terminal. Knows what was pressed before; asks, and tells. */
import { formatDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import type { Millis, ServiceSnapshot } from '../model.js';
import type { Supervision } from '../ports.js';

export interface Keyboard {
  press(key: string): void;
}

/** What the key `l` adds to a lease. */
const more: Millis = 600_000;

const help = [
  'r  restart a service          R  begin a new generation, as a reload does',
  'l  give a lease 10 more minutes s  send a line to a service',
  'p  show how everything stands ?  this help',
  'q  twice: stop everything and quit',
];

type Choice = (service: ServiceSnapshot) => void;

export function createKeyboard(supervision: Supervision, say: (text: string) => void, quit: () => void): Keyboard {
  let choose: { readonly from: readonly ServiceSnapshot[]; readonly then: Choice } | undefined;
  const heed = twice('q', quit, () => say('q once more stops everything; any other key does not'));
  let typed: { readonly to: ServiceSnapshot; text: string } | undefined;

  const attempt = (act: () => void) => attemptTo(act, say);
  const services = () => supervision.snapshot().services;
  const ask = (what: string, from: readonly ServiceSnapshot[], then: Choice) => {
    const [only, ...others] = from;
    if (only === undefined) return say('there is no such service');
    if (others.length === 0) return then(only);
    choose = { from, then };
    const numbered = from.slice(0, 9).map(({ tag }, index) => `${index + 1} ${tag}`);
    say(`${what}? ${numbered.join('  ')}  (any other key: none)`);
  };
  const begin =
    (type: 'restart' | 'reload', key: string): Choice =>
    ({ tag }) =>
      attempt(() => supervision.request({ type, targets: [tag], why: { is: 'key', key } }));
  const extend: Choice = ({ tag }) =>
    attempt(() => {
      supervision.request({ type: 'extend', targets: [tag], by: more });
      const { lease } = services().find((one) => one.tag === tag) ?? {};
      say(`${tag} has ${describeLease(lease?.ttl, lease?.idle)}`);
    });
  const write: Choice = (to) => {
    typed = { to, text: '' };
    say(`a line for ${to.tag}, then Enter:`);
  };
  const type = (key: string, line: NonNullable<typeof typed>) => {
    if (key === '\r' || key === '\n') {
      typed = undefined;
      say(`to ${line.to.tag}: ${line.text}`);
      attempt(() => supervision.request({ type: 'send', targets: [line.to.tag], text: `${line.text}\n` }));
    } else if (key === '\x1b') {
      typed = undefined;
      say('nothing was sent');
    } else if (key === '\x7f' || key === '\b') line.text = line.text.slice(0, -1);
    else if (key >= ' ') line.text += key;
  };

  const command = (key: string) => {
    const all = services();
    heed(key);
    if (key === 'r') ask('restart which', all, begin('restart', key));
    else if (key === 'R') ask('reload which', all, begin('reload', key));
    else if (key === 'l')
      ask(
        'more time for which',
        all.filter(({ lease }) => lease?.ttl !== undefined || lease?.idle !== undefined),
        extend,
      );
    else if (key === 's') ask('a line for which', all, write);
    else if (key === 'p') for (const service of all) say(describe(service));
    else if (key === '?' || key === 'h') for (const line of help) say(line);
  };

  return {
    press(key) {
      if (typed !== undefined) return type(key, typed);
      if (choose === undefined) return command(key);
      const { from, then } = choose;
      choose = undefined;
      const chosen = from[Number(key) - 1];
      if (chosen) then(chosen);
    },
  };
}

/** Gets every key: acts when one comes twice in a row, and tells of the first time. */
function twice(wanted: string, act: () => void, first: () => void): (key: string) => void {
  let wasPressed = false;
  return (key) => {
    const isSecond = wasPressed && key === wanted;
    wasPressed = key === wanted && !isSecond;
    if (isSecond) act();
    else if (wasPressed) first();
  };
}

function attemptTo(act: () => void, say: (text: string) => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ProcletError)) throw error;
    say(error.message);
  }
}

function describe({ tag, instances, lease }: ServiceSnapshot): string {
  const phases = instances.map(({ id, phase, pid }) => `${id} ${phase}${pid ? ` (pid ${pid})` : ''}`).join(', ');
  const left = describeLease(lease?.ttl, lease?.idle);
  return `${phases || `${tag} has no instance`}${left === 'no end' ? '' : `, ${left}`}`;
}

function describeLease(ttl: Millis | undefined, idle: Millis | undefined): string {
  const parts = [
    ...(ttl === undefined ? [] : [`${formatDuration(ttl)} left`]),
    ...(idle === undefined ? [] : [`${formatDuration(idle)} left if it is not used`]),
  ];
  return parts.length === 0 ? 'no end' : parts.join(', ');
}
