import { expectTypeOf, test } from 'vitest';
import {
  type Code,
  type EventOf,
  type Exit,
  Proclet,
  type ProcletError,
  type ProcletOptions,
  type ServiceOptions,
  type Snapshot,
} from '../../src/index.js';

test('the library has the types that its documentation shows', () => {
  expectTypeOf(Proclet).toBeConstructibleWith();
  expectTypeOf(Proclet).toBeConstructibleWith({ color: true, ttl: '30m', errRespawnInterval: 2 });
  expectTypeOf<Proclet['run']>().returns.resolves.toBeNumber();
  expectTypeOf<Proclet['service']>().parameter(0).toEqualTypeOf<ServiceOptions>();
  expectTypeOf<Proclet['service']>().returns.toEqualTypeOf<Proclet>();
  expectTypeOf<Proclet['snapshot']>().returns.toEqualTypeOf<Snapshot | undefined>();
  expectTypeOf<Code>().toEqualTypeOf<string | readonly [string, ...string[]] | (() => unknown)>();
  expectTypeOf<ProcletError['code']>().extract<'CONFIG'>().not.toBeNever();
});

test('a listener gets the event that it asked for', () => {
  new Proclet().on('exited', (event) => {
    expectTypeOf(event).toEqualTypeOf<EventOf<'exited'>>();
    expectTypeOf(event.exit).toEqualTypeOf<Exit>();
  });
  new Proclet().on('scheduled', ({ every, in: left }) => {
    expectTypeOf(every).toBeString();
    expectTypeOf(left).toBeNumber();
  });
});

test('what makes no sense does not compile', () => {
  const proclet = new Proclet();
  // @ts-expect-error a service runs something
  void (() => proclet.service({ tag: 'web' }));
  // @ts-expect-error there is no such option
  void (() => proclet.service({ code: 'true', workers: 2 }));
  // @ts-expect-error there is no such event
  void (() => proclet.on('explode', () => {}));
  // @ts-expect-error a program has a name
  void ((): Code => []);
  expectTypeOf<ProcletOptions['onExit']>().toEqualTypeOf<'restart' | 'stop' | 'ignore' | undefined>();
});
