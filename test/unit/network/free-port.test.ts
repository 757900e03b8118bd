import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseOf, nextFreeBlock, privateRange, reservePort, stableBase } from '../../../src/network/free-port.js';

test.each([
  ['32768\t60999\n', { from: 20_000, to: 32_000 }],
  ['25000 60999', { from: 20_000, to: 25_000 }],
  ['15000 61000', { from: 61_001, to: 65_536 }],
  ['1024 65535', { from: 20_000, to: 32_000 }],
  ['', { from: 20_000, to: 32_000 }],
])('with the kernel giving clients %j, private ports are from %o', (kernels, range) => {
  expect(privateRange(kernels)).toEqual(range);
});

test('no private port is given twice, and none that is taken', () => {
  const ports = Array.from({ length: 500 }, () => reservePort((port) => port % 2 === 0));
  expect(new Set(ports).size).toBe(500);
  expect(ports.filter((port) => port % 2 === 0)).toEqual([]);
});

test('where nobody can tell whether a port is taken, it is given', () => {
  expect(reservePort(() => undefined)).toBeGreaterThan(0);
});

test('when all are taken there is none', () => {
  expect(() => reservePort(() => true)).toThrow(/no port between \d+ and \d+ is free/);
});

test('a directory has one base port, by whatever path it is reached', () => {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-'));
  const [real, link] = [join(directory, 'real'), join(directory, 'link')];
  mkdirSync(real);
  symlinkSync(real, link);
  expect(stableBase(link)).toBe(stableBase(real));
  expect(stableBase(link)).toBe(baseOf(realpathSync(real)));
  rmSync(directory, { recursive: true });
});

test('the next free block is the base, or the first one behind it, around the end', () => {
  expect(nextFreeBlock(12_300, () => true)).toBe(12_300);
  expect(nextFreeBlock(12_300, (base) => base > 12_500)).toBe(12_600);
  expect(nextFreeBlock(19_900, (base) => base < 10_200)).toBe(10_000);
  expect(() => nextFreeBlock(12_300, () => false)).toThrow('no 100 ports between 10000 and 19999 are free');
});
