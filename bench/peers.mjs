/**
 * The runners that proclet is compared with: where each is found and how it is told to run some services. Peers
 * from npm are looked for in PATH and in the directory that `install` fills, which is outside of the repository.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const proclet = resolve(import.meta.dirname, '../bin/proclet.cjs');
const home = join(tmpdir(), 'proclet-peers');
const path = [join(home, 'node_modules/.bin'), process.env.PATH].join(delimiter);

/** Installs those that come from npm. */
export function install() {
  mkdirSync(home, { recursive: true });
  const packages = ['concurrently', 'nodemon', 'pm2', 'foreman'];
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', home, ...packages], { stdio: 'inherit' });
}

/**
 * `argv` answers the command line that runs services ({ name, command }) from a directory and writes the files it
 * needs there. `single` runners run one service. Grace is given in whole seconds, where it can be given.
 */
const runners = [
  {
    name: 'proclet',
    program: process.execPath,
    argv(directory, services, grace) {
      writeProcfile(directory, services);
      return [process.execPath, proclet, 'start', '--timeout', `${grace}s`];
    },
    version: () => execFileSync(process.execPath, [proclet, '--version'], { encoding: 'utf8' }),
  },
  {
    name: 'foreman',
    program: 'foreman',
    argv(directory, services, grace) {
      writeProcfile(directory, services);
      return ['foreman', 'start', '-t', String(grace)];
    },
    version: () => output('foreman', 'version'),
  },
  {
    name: 'node-foreman',
    program: 'nf',
    argv(directory, services) {
      writeProcfile(directory, services);
      return ['nf', 'start', '-j', 'Procfile'];
    },
    version: () => output('nf', '--version'),
  },
  {
    name: 'concurrently',
    program: 'concurrently',
    argv: (_, services) => ['concurrently', ...services.map(({ command }) => command)],
    version: () => output('concurrently', '--version'),
  },
  {
    name: 'nodemon',
    program: 'nodemon',
    single: true,
    argv: (_, [{ command }]) => ['nodemon', '--quiet', '--watch', 'nothing', '--exec', command],
    version: () => output('nodemon', '--version'),
  },
  {
    name: 'pm2',
    program: 'pm2-runtime',
    argv(directory, services, grace) {
      const apps = services.map(({ name, command }) => ({
        ...{ name, script: '/bin/sh', args: ['-c', `exec ${command}`], interpreter: 'none' },
        ...{ cwd: directory, kill_timeout: 1_000 * grace },
      }));
      writeFileSync(join(directory, 'ecosystem.config.cjs'), `module.exports = ${JSON.stringify({ apps })};`);
      return ['pm2-runtime', 'start', 'ecosystem.config.cjs'];
    },
    version: () => output('pm2', '--version').split('\n').at(-1),
  },
  {
    name: 'supervisord',
    program: 'supervisord',
    argv(directory, services, grace) {
      const programs = services.map(
        ({ name, command }) =>
          `[program:${name}]\ncommand=/bin/sh -c "exec ${command}"\nstopwaitsecs=${grace}\nautorestart=unexpected\n`,
      );
      const own = '[supervisord]\nnodaemon=true\nuser=root\nlogfile=supervisord.log\npidfile=supervisord.pid\n';
      writeFileSync(join(directory, 'supervisord.conf'), own + programs.join(''));
      return ['supervisord', '-n', '-c', 'supervisord.conf'];
    },
    version: () => output('supervisord', '--version'),
  },
  {
    name: 'honcho',
    program: 'honcho',
    argv(directory, services) {
      writeProcfile(directory, services);
      return ['honcho', 'start'];
    },
    version: () => output('honcho', 'version'),
  },
];

/** Those that are on this machine, proclet first. */
export const found = runners.filter(({ program }) =>
  path.split(delimiter).some((one) => existsSync(join(one, program))),
);
found.unshift(...(found.includes(runners[0]) ? [] : [runners[0]]));

/** For the environment of a runner in a directory. */
export function environment(directory) {
  return {
    ...{ PATH: path, HOME: directory, TERM: 'dumb', NO_COLOR: '1' },
    ...{
      XDG_RUNTIME_DIR: directory,
      XDG_CACHE_HOME: join(tmpdir(), 'proclet-bench-cache'),
      PM2_HOME: join(directory, '.pm2'),
    },
  };
}

export function versions() {
  return found.map(({ name, version }) => `${name} ${/\d+\.\d+\.\d+/.exec(version())?.[0] ?? ''}`).join(', ');
}

function output(...[program, ...args]) {
  return execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, PATH: path }, stdio: 'pipe' }).trim();
}

function writeProcfile(directory, services) {
  writeFileSync(join(directory, 'Procfile'), services.map(({ name, command }) => `${name}: ${command}\n`).join(''));
}
