// A worker that calls the web application, as a worker that takes jobs from it would.
import { setTimeout as wait } from 'node:timers/promises';

const address = `http://127.0.0.1:${process.env.PROCLET_PORT_WEB}/jobs`;

for (let job = 1; ; job += 1) {
  await wait(3_000);
  const answer = await fetch(address).then(
    (response) => response.text(),
    (error) => `no answer: ${error.cause?.code}`,
  );
  console.log(`job ${job}: ${answer.trim()}`);
}
