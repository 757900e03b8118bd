import { expect, test } from 'vitest';
import { createLastNet, withinRequest } from '../../../src/launcher/last-net.js';

const responseOf = () => {
  const response = {
    isDestroyed: false,
    destroy() {
      response.isDestroyed = true;
    },
  };
  return response;
};

test('an error that nobody caught ends the request by whose doing it came, is told once, and touches no other', async () => {
  const said: string[] = [];
  const net = createLastNet((text) => void said.push(text));
  const [guilty, other] = [responseOf(), responseOf()];
  const error = new Error('nobody caught it');
  await Promise.all(
    [guilty, other].map(
      (response) =>
        new Promise<void>((go) =>
          withinRequest(response as never, () =>
            setImmediate(() => {
              if (response === guilty) for (const each of [error, error]) net.catch(each);
              go();
            }),
          ),
        ),
    ),
  );
  net.catch('in no request');
  expect([guilty.isDestroyed, other.isDestroyed]).toEqual([true, false]);
  expect(said).toEqual([
    expect.stringContaining('bug in proclet: Error: nobody caught it'),
    expect.stringMatching(/in no request$/),
  ]);
});
