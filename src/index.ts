/**
 * The library: read a Procfile, make a plan, run it.
 *
 * @example
 * const parsed = parseProcfile('web: node server.js', 'Procfile');
 */
export { ProcletError } from './errors.js';
export type * from './model.js';
export { buildPlan, type PlanInput } from './plan/build-plan.js';
export { toSettings } from './plan/settings.js';
export { parseProcfile } from './procfile/parse-procfile.js';
export { type Look, type Runtime, startServices } from './runtime.js';
