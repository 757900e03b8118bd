/**
 * The library: services as values, run with everything that `proclet start` does; and the parts that other programs
 * use: the parser, the plan, and a client for runs that are there already.
 *
 * @example
 * const parsed = parseProcfile('web: node server.js', 'Procfile');
 */
export { type ControlClient, connect, type Item } from './control/client.js';
export { ProcletError } from './errors.js';
export type * from './library/options.js';
export { Proclet } from './library/proclet.js';
export type * from './model.js';
export { buildPlan, type PlanInput } from './plan/build-plan.js';
export { toSettings } from './plan/settings.js';
export { findRun, type LiveRun, liveRuns, type Whose } from './platform/runs.js';
export { parseProcfile } from './procfile/parse-procfile.js';
