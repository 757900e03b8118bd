/** How output looks, from the settings and from where it goes. */
import { resolve } from 'node:path';
import type { Settings } from '../model.js';
import { wantsColor } from '../observers/palette.js';
import type { Look } from '../runtime.js';

export function lookOf(settings: Settings): Look {
  const { color: setting, logFormat, timestamp, quiet, pidFile, logDir } = settings;
  const { name, keys, stdinQuit, until, untilExit, onEvent } = settings;
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
    ...{ name, keys: keys && !stdinQuit, stdinQuit },
    ...(until && { until }),
    ...(untilExit !== undefined && { untilExit }),
    ...(onEvent !== undefined && { onEvent }),
    ...(logDir !== undefined && { logDirectory: resolve(logDir) }),
    ...(pidFile && { pidFile: resolve(pidFile) }),
  };
}

/** Of a run without a terminal: nothing is printed, and the output is in files. */
export function detachedLook(look: Look, directory: string): Look {
  return {
    ...look,
    format: 'none',
    keys: false,
    stdinQuit: false,
    logDirectory: look.logDirectory ?? directory,
  };
}
