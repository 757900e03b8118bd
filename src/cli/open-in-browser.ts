/** Shows an address to a person. */
import { ProcletError } from '../errors.js';
import { openAddress } from '../platform/browser.js';

/** Throws ProcletError when there is no browser to be had. */
export async function openInBrowser(url: string): Promise<void> {
  const problem = await openAddress(url);
  if (problem === undefined) return;
  throw new ProcletError('FAILED', `no browser could be opened: ${problem}`, { hint: `Open it by hand: ${url}` });
}
