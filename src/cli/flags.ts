/** The settings table as oclif's flags, and what was typed as givens again. */
import { Flags, type Interfaces } from '@oclif/core';
import type { Given } from '../model.js';
import { type CommandName, type Setting, settings } from '../plan/setting-table.js';

/** The flags that a command takes, from the table. */
export function flagsOf(command: CommandName): Interfaces.FlagInput {
  const flags: Interfaces.FlagInput = {};
  for (const setting of settings) {
    if (setting.commands.includes(command)) flags[setting.name] = flagOf(setting);
  }
  return flags;
}

/** What was typed, by the settings' names. */
export function givensOf(flags: Readonly<Record<string, unknown>>): Record<string, Given> {
  const givens: Record<string, Given> = {};
  for (const { name, kind } of settings) {
    const value = flags[name];
    if (value === undefined) continue;
    const origin = kind === 'switch' && value === false ? `--no-${name}` : `--${name}`;
    givens[name] = { text: Array.isArray(value) ? value.join(',') : String(value), origin };
  }
  return givens;
}

function flagOf(setting: Setting): Interfaces.FlagInput[string] {
  const { name, kind, char, aliases = [], charAliases = [], summary, placeholder, options } = setting;
  // oclif types a character as one of its alphabet, and its flags without exactOptionalPropertyTypes.
  const letters = { charAliases: charAliases as never[], ...(char !== undefined && { char: char as never }) };
  const common = { name, summary, aliases: [...aliases], ...letters };
  if (kind === 'switch') return Flags.boolean({ ...common, allowNo: true });
  const option = { ...common, helpValue: options?.join('|') ?? placeholder ?? name };
  const flag =
    kind === 'list' ? Flags.string({ ...option, multiple: true, multipleNonGreedy: true }) : Flags.string(option);
  return flag as Interfaces.FlagInput[string];
}
