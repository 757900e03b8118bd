/**
 * The last net: an error that nobody caught ends the request in which it happened, not the launcher, with which all that
 * it started in all projects would end. It is a bug, and is told as one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';

const current = new AsyncLocalStorage<ServerResponse>();
/** The same error again and again is told once; so many different ones are remembered. */
const mostTold = 100;

/** What happens in `act`, and after it by its doing, belongs to the request with this answer. */
export function withinRequest(response: ServerResponse, act: () => void): void {
  current.run(response, act);
}

export interface LastNet {
  /** Tells of a bug. */
  report(error: unknown): void;
  /** Reports what nobody caught, and ends the request that it belongs to. */
  catch(error: unknown): void;
}

/** `told`: for the launcher's own output. */
export function createLastNet(told: (text: string) => void): LastNet {
  const known = new Set<string>();
  const report = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (known.has(text) || known.size >= mostTold) return;
    known.add(text);
    told(`this is a bug in proclet: ${text}`);
  };
  return {
    report,
    catch(error) {
      report(error);
      current.getStore()?.destroy();
    },
  };
}
