/**
 * The JSON Schema of `proclet.yml`, for editors. Made from the schema that checks the file, so that the two
 * cannot disagree; `templates/proclet.schema.json` is its printed form.
 */
import * as z from 'zod';
import { configSchema } from './config-schema.js';

/** JSON Schema draft 7, which the YAML language servers of editors understand. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
}
