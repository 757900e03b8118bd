/** Our terminal as that of a service: keys go there, its bytes come here, until Ctrl-] or its end. */
import type { ControlClient } from '../control/client.js';
import { onSignals } from '../platform/signals.js';
import { eventFromWire } from '../wire.js';

/** Ctrl-], as telnet has it: neither shells nor debuggers use it. */
const leaveKey = '\x1d';

/** Rejects with a ProcletError when the service has no terminal. */
export async function shareTerminal(client: ControlClient, target: string): Promise<number> {
  const { stdin, stdout } = process;
  const isTTY = stdin.isTTY === true;
  // A terminal that was given no size says that it has none.
  const size = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const forward = (text: string) => {
    client
      .request({ verb: 'send', targets: [target], text })
      .catch((error: Error) => stdout.write(`\r\nproclet: ${error.message}\r\n`));
  };
  const onKeys = (text: string) => {
    const [before = '', ...after] = text.split(leaveKey);
    if (before !== '') forward(before);
    if (after.length > 0 && isTTY) leave();
  };
  const over = client.request({ verb: 'attach', target, ...size() }, (item) => {
    if ('data' in item) stdout.write(Buffer.from(item.data, 'base64'));
  });
  // A refusal comes before anything else, and before the terminal is changed.
  const refused = await Promise.race([
    over.then(
      () => undefined,
      (error: Error) => error,
    ),
    client.request({ verb: 'hello' }).then(() => undefined),
  ]);
  if (refused !== undefined) throw refused;
  await showLastLines(client, target);
  if (isTTY) {
    setRaw(true);
    process.stderr.write(`proclet: this is ${target}; leave it with Ctrl-]\r\n`);
  }
  stdin.setEncoding('utf8').on('data', onKeys).resume();
  const deafen = onSignals(['SIGWINCH', 'SIGCONT', 'SIGTERM', 'SIGHUP'], (signal) => {
    if (signal === 'SIGCONT' && isTTY) {
      // The shell has put its own modes back meanwhile, which Node does not know.
      setRaw(false);
      setRaw(true);
    } else if (signal === 'SIGWINCH') client.request({ verb: 'resize', target, ...size() }).catch(() => {});
    else if (signal !== 'SIGCONT') leave();
  });
  try {
    await Promise.race([over, left]);
  } finally {
    deafen();
    stdin.off('data', onKeys).pause();
    if (isTTY) setRaw(false);
    process.stderr.write(`\nproclet: left ${target}\n`);
  }
  return 0;
}

/** What the program showed last: one that waits says nothing until somebody types. */
async function showLastLines(client: ControlClient, target: string): Promise<void> {
  const texts: string[] = [];
  await client.request(
    { verb: 'events', targets: [target], only: 'output', open: true, last: linesAtFirst },
    (item) => {
      const event = 'event' in item ? eventFromWire(item.event) : undefined;
      if (event?.type === 'output') texts.push(event.text.replaceAll('\n', '\r\n'));
    },
  );
  process.stdout.write(Buffer.from(texts.join(''), 'latin1'));
}

const linesAtFirst = 20;

function setRaw(isRaw: boolean): void {
  try {
    process.stdin.setRawMode(isRaw);
  } catch {
    // EIO: the terminal was closed
  }
}
