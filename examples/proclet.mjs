// Services without a Procfile: two web workers, a job that is a function of this file, and a report at its times.
import { setTimeout as wait } from 'node:timers/promises';
import { Proclet } from 'proclet';

const proclet = new Proclet({ port: Number(process.env.PORT ?? 5000), ttl: '30m' });

proclet.service({ tag: 'web', code: 'node examples/web.mjs', worker: 2, ready: { tcp: true } });

proclet.service({
  tag: 'job',
  after: ['web'],
  code: async () => {
    for (let n = 1; ; n += 1) {
      const answer = await fetch(`http://127.0.0.1:${process.env.PROCLET_PORT_WEB}/job/${n}`);
      console.log(`job ${n}: ${(await answer.text()).trim()}`);
      await wait(3_000);
    }
  },
});

proclet.service({
  tag: 'report',
  every: '*/10 * * * * *',
  code: () => console.log(`load ${process.resourceUsage().maxRSS} KB`),
});

proclet.on('exited', ({ id, ran }) => console.error(`(${id} lived for ${Math.round(ran)} ms)`));

process.exitCode = await proclet.run();
