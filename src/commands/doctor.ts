import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { ProcletError } from '../errors.js';
import { describeOwners, isPortTaken, ownersOf } from '../network/port-owner.js';
import { findLeftovers } from '../platform/leftovers.js';
import { probeMeans } from '../platform/means.js';
import { createProcessTable, tableKind } from '../platform/process-table.js';
import { runtimePlace } from '../platform/runtime-dir.js';

export default class Doctor extends BaseCommand {
  static override summary =
    'Say by which means proclet ends process trees here, what each would miss, and who holds a port.';
  static override examples = [
    { description: 'this machine', command: '<%= config.bin %> doctor' },
    { description: 'who holds two ports', command: '<%= config.bin %> doctor 5000 8080' },
  ];
  static override strict = false;
  static override args = {
    ports: Args.string({ name: 'PORT', description: 'ports to look at, instead of the machine' }),
  };

  static override flags = { json: jsonFlag };

  async run(): Promise<number> {
    const { argv, flags } = await this.parse(Doctor);
    const ports = (argv as string[]).map(portOf);
    if (flags.json) {
      if (ports.length > 0) printJson({ ports: ports.map(factsOfPort) });
      else printJson({ means: await probeMeans(), leftovers: tableKind() === 'groups' ? null : leftovers() });
      return 0;
    }
    const lines = ports.length > 0 ? ports.map(aboutPort) : [...(await aboutMeans()), '', ...aboutLeftovers()];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new ProcletError('USAGE', `'${text}' is not a port; write a number from 1 to 65535`);
}

function factsOfPort(port: number) {
  const owners = ownersOf(port);
  return { port, isFree: owners.length === 0 && isPortTaken(port) === false, owners };
}

function aboutPort(port: number): string {
  const owners = ownersOf(port);
  if (owners.length === 0 && isPortTaken(port) === false) return `port ${port} is free`;
  return `port ${port} is held by ${describeOwners(owners)}`;
}

async function aboutMeans(): Promise<string[]> {
  return (await probeMeans()).flatMap(({ name, state, detail, misses }) => [
    `${state === 'in use' ? '+' : '-'} ${name.padEnd(16)} ${state}${detail === '' ? '' : `: ${detail}`}`,
    ...(state === 'in use' ? [`  ${' '.repeat(16)} would miss: ${misses}`] : []),
  ]);
}

function leftovers() {
  return findLeftovers(runtimePlace(), createProcessTable());
}

function aboutLeftovers(): string[] {
  if (tableKind() === 'groups') return ['What earlier runs left cannot be seen here.'];
  const processes = leftovers().reduce((sum, leftover) => sum + leftover.processes.length, 0);
  return [
    processes === 0 ? 'Nothing is left of earlier runs.' : `Earlier runs left ${processes} processes: proclet reap`,
  ];
}
