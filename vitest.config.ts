import { defineConfig } from 'vitest/config';

/** Every test starts from an environment that the tests make. */
const setupFiles = ['test/support/environment.ts'];

const processes = {
  setupFiles,
  pool: 'forks' as const,
  // Twice the processors of a small machine: the tests wait more than they work.
  maxWorkers: 4,
  sequence: { groupOrder: 1 },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // A machine that others use may be too slow for once; scripts/soak-tests counts every failure.
  retry: process.env['CI'] === 'true' ? 2 : 0,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // One process runs them all: they keep nothing, and to load everything for each file takes longer than they do.
          pool: 'forks',
          isolate: false,
          setupFiles,
          testTimeout: 30_000,
          include: ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts', 'test/architecture.test.ts'],
        },
      },
      { test: { name: 'process', include: ['test/process/**/*.test.ts'], ...processes } },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          ...processes,
        },
      },
      {
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], globalSetup: ['test/support/build.ts'], ...processes },
      },
    ],
  },
});
