import { expect, test } from 'vitest';
import { isServiceOption } from '../../../src/library/mistakes.js';
import { serviceSchema } from '../../../src/procfile/config-schema.js';

const camel = (name: string) => name.replace(/-[a-z]/g, (pair) => pair.slice(1).toUpperCase());

test('every key of a service in proclet.yml is an option of a service in a script, but for those that would do nothing', () => {
  const missing = Object.keys(serviceSchema.shape).filter((name) => !isServiceOption(camel(name)));
  expect(missing).toEqual(['env-file', 'instances']);
});
