import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configJsonSchema } from '../../../src/procfile/json-schema.js';
import { question } from '../../support/environment.js';

const file = join(import.meta.dirname, '../../../templates/proclet.schema.json');

/** After a change of the schema: UPDATE_SCHEMA=1 npx vitest run json-schema && npx biome format --write templates */
test('the schema that editors read is the one that checks the file', () => {
  const schema = configJsonSchema();
  if (question('UPDATE_SCHEMA') === '1') writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(schema);
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

test('editors are told of unknown keys, and what each known one means', () => {
  const schema: Schema = configJsonSchema();
  expect(schema).toMatchObject({ title: 'proclet.yml', additionalProperties: false });
  const services = schema.properties?.['services']?.anyOf?.[0]?.additionalProperties as Schema;
  const service = services.anyOf?.[0];
  expect(service).toMatchObject({ additionalProperties: false });
  const properties = Object.entries(service?.properties ?? {});
  expect(properties).toHaveLength(34);
  for (const [key, { description }] of properties) expect(description, key).toMatch(/\w.*\.$/);
});
