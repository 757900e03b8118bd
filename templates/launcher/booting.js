/** A page that waits for a service: shows what it prints, and goes on when it is there or has failed. */
import { createLog } from './log.js';

const { next, stream } = document.body.dataset;
const log = createLog(document.getElementById('lines'));
const events = new EventSource(stream);
events.addEventListener('open', () => log.clear()); // it is told from the start
events.addEventListener('log', ({ data }) => {
  const { lines, skipped } = JSON.parse(data);
  log.add(lines, skipped);
});
const goOn = () => {
  events.close();
  location.replace(next);
};
events.addEventListener('over', goOn);
