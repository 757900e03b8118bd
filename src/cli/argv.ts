/** What happens to the arguments before oclif sees them. */
import { settings } from '../plan/setting-table.js';

/**
 * Moves flags that stand before the command's name behind it: `-e .env.x run web` is `run -e .env.x web`.
 * What follows `--` is not looked at.
 */
export function hoistFlags(argv: readonly string[]): string[] {
  let at = 0;
  for (let arg = argv[at]; arg?.startsWith('-') && arg !== '--'; arg = argv[at]) {
    if (['--help', '-h', '--version', '-v'].includes(arg)) return [...argv];
    at += takesValue(arg) ? 2 : 1;
  }
  const command = argv[at];
  if (at === 0 || command === undefined || command === '--') return [...argv];
  return [command, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

/** Whether the next argument is this flag's value: not for switches, `--port=1` and `-p1`. */
function takesValue(arg: string): boolean {
  const long = arg.startsWith('--');
  if (long ? arg.includes('=') : arg.length > 2) return false;
  const name = arg.replace(/^-+/, '');
  return settings.some(({ kind, name: own, aliases = [], char, charAliases = [] }) => {
    const names = long ? [own, ...aliases] : [char, ...charAliases];
    return kind !== 'switch' && names.includes(name);
  });
}
