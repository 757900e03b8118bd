/** Events of another process on our standard output, as if that process were in front. */
import type { InstanceId, ProcletEvent } from '../model.js';
import { wantsColor } from '../observers/palette.js';
import { createTail } from '../observers/tail.js';
import { createTerminal } from '../observers/terminal.js';
import { createOutput } from '../platform/stdout.js';

export interface View {
  show(event: ProcletEvent): void;
}

export interface ViewOptions {
  readonly services: readonly {
    readonly position: number;
    readonly instances: readonly { readonly id: InstanceId }[];
  }[];
  readonly color?: boolean | undefined;
  readonly timestamp: boolean;
}

export function createView({ services, color: asked, timestamp }: ViewOptions): View {
  const { sink } = createOutput(process.stdout);
  const setting = asked === undefined ? 'auto' : asked ? 'always' : 'never';
  const color = wantsColor({ setting, env: process.env, isTTY: sink.isTTY });
  const tail = createTail();
  const positions = services.flatMap(({ position, instances }) =>
    instances.map(({ id }) => [id.replace(/\.\d+$/, ''), position] as const),
  );
  const terminal = createTerminal({
    ...{ sink, color, timestamp, quiet: [], lastWords: tail.last },
    childColor: color || asked === undefined ? 'pass' : 'strip',
    ids: services.flatMap(({ instances }) => instances.map(({ id }) => id)),
    positions: new Map(positions),
  });
  return {
    show(event) {
      tail.observe(event);
      terminal.observe(event);
    },
  };
}
