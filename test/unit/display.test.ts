import { expect, test } from 'vitest';
import { displayPart } from '../../src/attachments.js';
import type { Configuration, Look } from '../../src/configuration.js';
import type { ProcletEvent } from '../../src/model.js';
import type { Output } from '../../src/platform/stdout.js';
import { at, exited, output } from '../support/events.js';
import { memorySink } from '../support/memory-sink.js';
import { planOf } from '../support/plans.js';

const look = { format: 'text', color: false, stripColor: false, timestamp: false, quiet: [] } as const;

/** What is shown of a run whose display is another one from `then` on. */
async function shown(before: readonly ProcletEvent[], then: Partial<Look>, after: readonly ProcletEvent[]) {
  const sink = memorySink();
  const display = displayPart({ sink } as unknown as Output, () => []);
  const become = async (more: Partial<Look>, worker: number) => {
    const plan = planOf({ web: {}, worker: { count: worker } });
    await (await display.prepare({ plan, look: { ...look, ...more } } as unknown as Configuration)).take();
  };
  await become(then, 1);
  for (const event of before) display.observe(event);
  await become({}, 2);
  for (const event of after) display.observe(event);
  return sink.text;
}

const spawned = (id: string) => at({ type: 'spawned', id, pid: 7, port: 0 });
const cause = { reason: 'shutdown' } as const;
const asked = exited({ exit: { how: 'signal', signal: 'SIGKILL' }, cause, took: 5_000 });
const killed = at({ type: 'killed', id: 'web.1', signal: 'SIGTERM', after: 5_000 });

test.for(['text', 'json'] as const)(
  'one that is another after a scale or HUP, %s before, knows what was killed',
  async (format) => {
    expect(await shown([spawned('web.1'), killed], { format }, [asked])).toContain(
      '| web.1 ignored SIGTERM for 5s, so it was killed (1 process)\n',
    );
  },
);

test('no line is lost that was held back because the life before had printed it', async () => {
  const crashed = exited({ next: { is: 'restart', delay: 1_000, failures: 1 } });
  const before = [spawned('web.1'), output('reading\n'), crashed, spawned('web.1'), output('reading\n')];
  const text = await shown(before, {}, [output('serving\n')]);
  expect(text.match(/reading/g)).toHaveLength(2);
});
