import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baseOf } from '../../src/network/free-port.js';

/** How people name what lies side by side in a folder. */
const namings: Record<string, (n: number) => string> = {
  numbered: (n) => `project-${n}`,
  'numbered in front': (n) => `${n}-project`,
  padded: (n) => `app${String(n).padStart(4, '0')}`,
  lettered: (n) => String.fromCharCode(97 + (n % 26), 97 + (Math.floor(n / 26) % 26)),
  nested: (n) => `${n}/web`,
  long: (n) => `${'x'.repeat(n)}`,
};

const folder = fc
  .array(fc.stringMatching(/^[\w.-]{1,12}$/), { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join('/')}`);

// Of 250 that fall by chance, 221 bases of the 1,000 are met, give or take 5: below 190 comes once in 10^11 folders.
test.each(Object.entries(namings))('250 %s projects of any folder are spread over all base ports', (_, nameOf) => {
  fc.assert(
    fc.property(folder, (parent) => {
      const bases = Array.from({ length: 250 }, (_, n) => baseOf(`${parent}/${nameOf(n)}`));
      expect(bases.every((base) => base % 10 === 0 && base >= 10_000 && base <= 19_990)).toBe(true);
      expect(new Set(bases).size).toBeGreaterThan(190);
    }),
    { numRuns: 200 },
  );
});
