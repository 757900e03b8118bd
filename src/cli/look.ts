/** How output looks, from the settings and from where it goes. */
import { resolve } from 'node:path';
import type { Settings } from '../model.js';
import { wantsColor } from '../observers/palette.js';
import type { Look } from '../runtime.js';

export function lookOf({ color: setting, logFormat, timestamp, quiet, pidFile }: Settings): Look {
  const isTTY = process.stdout.isTTY === true;
  const color = logFormat === 'text' && wantsColor({ setting, env: process.env, isTTY });
  // A person who said that they want no colour means everybody's; a pipe alone says nothing of the kind.
  const refused = setting === 'never' || (setting === 'auto' && Boolean(process.env['NO_COLOR']));
  return {
    format: logFormat,
    color,
    stripColor: !color && refused,
    timestamp,
    quiet,
    ...(pidFile && { pidFile: resolve(pidFile) }),
  };
}
