/** The values of `listen`: public addresses of a service, as people write them, to what the plan works with. */
import * as z from 'zod';
import { parseAddress } from '../address.js';
import type { Address } from '../model.js';

/** One or a list, as a list. */
export function listenAddresses() {
  const one = listenAddress();
  return z
    .union(
      [one, z.array(one).min(1)],
      'must be a port, host:port, the path of a Unix socket with a / in it, a map of path, mode, owner, or a list of them',
    )
    .transform((written) => [written].flat());
}

function listenAddress() {
  const sentence = 'must be a port, host:port, the path of a Unix socket with a / in it, or a map of path, mode, owner';
  const written = z.union([z.number(), z.string()], sentence).transform((text, context): Address => {
    const address = parseAddress(String(text));
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: sentence });
    return z.NEVER;
  });
  return z.union([written, socketAddress()], sentence);
}

/** Of a Unix socket also who may connect. */
function socketAddress() {
  return z.strictObject({
    path: z
      .string('must be the path of a Unix socket')
      .regex(/^[^\0]+$/, 'must be the path of a Unix socket')
      .describe('Relative to the root.'),
    mode: z
      .string('must be three or four octal digits, such as "0660"')
      .regex(/^0?[0-7]{3}$/, 'must be three or four octal digits, such as "0660"')
      .transform((digits) => Number.parseInt(digits, 8))
      .exactOptional()
      .describe('Who may connect: three or four octal digits. The default is 0600.'),
    owner: z
      .string('must be user, user:group or :group')
      .regex(/^(?:[^\s:]+(?::[^\s:]+)?|:[^\s:]+)$/, 'must be user, user:group or :group')
      .exactOptional()
      .describe('Whose it is: user, user:group or :group. Only root can give it to another user.'),
  });
}
