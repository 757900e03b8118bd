/** What the guardian knows, at any time, of how a life is to be ended. */
import { describe, expect, test } from 'vitest';
import { signal } from '../../support/fake-children.js';
import { planOf } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

const stop = { type: 'stop', targets: ['web'] } as const;

describe('the guardian is told of a life', () => {
  test('its stop signal, whom that goes to first, and its grace', () => {
    const { children } = supervised(planOf({ web: { stopSignal: 'SIGQUIT', stop: 'leader', grace: 700 } }));
    expect(children.terms.get('web.1')).toEqual({ signal: 'SIGQUIT', to: 'leader', grace: 700 });
  });

  test('that its leader was asked, and then that all were', () => {
    const { children, supervisor, clock } = supervised(planOf({ web: { stop: 'leader', grace: 5_000 } }));
    supervisor.request(stop);
    expect(children.terms.get('web.1')).toMatchObject({ to: 'rest', grace: 5_000 });
    clock.advance(4_000);
    expect(children.terms.get('web.1')).toMatchObject({ to: 'nobody', grace: 5_000 });
    clock.advance(1_000);
    expect(children.terms.get('web.1')).toMatchObject({ to: 'nobody', grace: 0 });
  });

  test('that all were asked, where all are asked at once', () => {
    const { children, supervisor } = supervised(planOf({ web: { stop: 'tree' } }));
    supervisor.request(stop);
    expect(children.terms.get('web.1')).toMatchObject({ to: 'nobody' });
  });

  test('that it was asked by the end of the run', () => {
    const { children, supervisor } = supervised(planOf({ web: { stop: 'tree' } }));
    supervisor.request({ type: 'shutdown', status: 0, patient: false, why: { is: 'library' } });
    expect(children.terms.get('web.1')).toMatchObject({ to: 'nobody' });
  });

  test('the signal that a replaced generation is sent, to the leader first, before and after it was sent', async () => {
    const over = { reload: 'handover', ready: { kind: 'tcp', timeout: 1_000 }, reloadSignal: 'SIGUSR1' } as const;
    const plan = planOf({ web: { ...over, stop: 'tree', watch: ['.'], killOldDelay: 2_000 } });
    const { children, supervisor, clock } = supervised(plan, {}, { mayOverlap: true });
    supervisor.ready({ id: 'web.1', generation: 1 });
    supervisor.changed('web', 'app', 1);
    supervisor.ready({ id: 'web.1', generation: 2 });
    expect(children.terms.get('web.1')).toMatchObject({ signal: 'SIGUSR1', to: 'leader' });
    expect(children.terms.get('web.1+2')).toMatchObject({ signal: 'SIGTERM', to: 'tree' });
    for (let n = 0; n < 5; n += 1) await Promise.resolve();
    clock.advance(2_000);
    expect(children.log).toContain('web.1 passed SIGUSR1');
    expect(children.terms.get('web.1')).toMatchObject({ signal: 'SIGUSR1', to: 'rest' });
  });

  test('what another plan says of it, though it runs on', () => {
    const over = { reload: 'shotgun', watch: ['.'] } as const;
    const { children, supervisor } = supervised(planOf({ web: { ...over, grace: 100 } }));
    supervisor.reconfigure(planOf({ web: { ...over, grace: 900, stopSignal: 'SIGINT', stop: 'tree' } }));
    expect(children.alive).toEqual(['web.1']);
    expect(children.terms.get('web.1')).toEqual({ signal: 'SIGINT', to: 'tree', grace: 900 });
  });

  test('what its service has in its next life, after one that ended', () => {
    const { children, clock } = supervised(planOf({ web: { stop: 'leader' } }));
    children.exit('web.1', signal('SIGKILL'));
    children.terms.clear();
    clock.advance(60_000);
    expect(children.terms.get('web.1')).toMatchObject({ to: 'leader' });
  });
});
