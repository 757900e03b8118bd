/** The live part of the page: pieces that the launcher sends, times that count, buttons without a new page, the log. */
import { createLog } from './log.js';

const at = (id) => document.getElementById(id);
const board = at('board');
const { token } = document.body.dataset;
let version = document.body.dataset.version;
let events;
let logOf = '';
let current = '';

// ---- the stream

function connect() {
  events?.close();
  if (document.hidden) return;
  const query = new URLSearchParams(logOf);
  query.set('seen', `${version} ${token}`);
  events = new EventSource(`/.proclet/stream?${query}`);
  events.addEventListener('board', ({ data }) => show(JSON.parse(data)));
  events.addEventListener('log', ({ data }) => {
    const { lines, skipped, isAnew } = JSON.parse(data);
    if (isAnew) log.clear();
    log.add(lines, skipped);
  });
  events.addEventListener('stale', () => location.reload());
  events.addEventListener('open', () => {
    say('');
    log.clear(); // it is told from the start
  });
  events.addEventListener('error', () => {
    say('The launcher does not answer. This page shows how things were.');
    // A stream that was refused is not tried again by itself.
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

function show({ version: next, order, html }) {
  version = next;
  const focused = placeOf(document.activeElement);
  for (const [key, text] of Object.entries(html)) {
    const made = document.createRange().createContextualFragment(text).firstElementChild;
    const old = at(key);
    if (old) old.replaceWith(made);
    else board.append(made);
  }
  for (const group of [...board.querySelectorAll('.group')]) if (!order.includes(group.id)) group.remove();
  order.forEach((key, n) => {
    const group = at(key);
    if (group && board.children[n] !== group) board.insertBefore(group, board.children[n] ?? null);
  });
  board.querySelector('.empty')?.remove();
  at(focused?.service)?.querySelector(focused.act)?.focus({ preventScroll: true });
  prepare();
}

/** Where the focus is, in terms that outlive the pieces of the page. */
function placeOf(element) {
  const service = element?.closest?.('.service')?.id;
  if (!service) return undefined;
  const { act } = element.dataset;
  return { service, act: act ? `[data-act="${act}"]` : `[value="${element.value}"]` };
}

function prepare() {
  // The page came with nothing left out and nobody marked.
  if (at('filter').value !== '') filter();
  if (current !== '') mark();
  tick();
}

// ---- times

function tick() {
  const now = Date.now();
  for (const time of board.querySelectorAll('time.left')) {
    const left = Number(time.dataset.until) - now;
    time.textContent = words(left);
    time.classList.toggle('soon', left < 60_000);
  }
  for (const time of board.querySelectorAll('time.ago'))
    time.textContent = `${words(now - Number(time.dataset.since))} ago`;
}

function words(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days}d${hours > 0 ? `${hours}h` : ''}`;
  if (hours > 0) return `${hours}h${minutes > 0 ? `${minutes}m` : ''}`;
  return minutes > 0 ? `${minutes}m${seconds % 60 > 0 ? `${seconds % 60}s` : ''}` : `${seconds}s`;
}

// ---- buttons

board.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = new FormData(event.target, event.submitter);
  try {
    const answer = await fetch(event.target.action, { method: 'POST', body, headers: { Accept: 'application/json' } });
    if (answer.status === 403) return location.reload();
    const { error = '', hint = '' } = await answer.json();
    say([error, hint].filter(Boolean).join('. '));
  } catch {
    say('The launcher does not answer.');
  }
});

board.addEventListener('click', (event) => {
  const link = event.target.closest('[data-log]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openLog(link);
});

function say(text) {
  if (at('said').textContent !== text) at('said').textContent = text;
}

// ---- the log

const log = createLog(at('log-lines'), {
  told: (text) => {
    at('log-found').textContent = text;
  },
});

function openLog(link) {
  logOf = link.dataset.log;
  const service = link.closest('.service');
  at('log-title').textContent = `Log of ${service.dataset.name.replace(' ', '/')}`;
  at('log').hidden = false;
  pause(false);
  current = service.id;
  mark();
  connect();
}

function closeLog() {
  logOf = '';
  at('log').hidden = true;
  connect();
}

function pause(on) {
  log.pause(on);
  at('log-pause').setAttribute('aria-pressed', String(on));
}

at('log-close').addEventListener('click', closeLog);
at('log-pause').addEventListener('click', () => pause(!log.isPaused));
at('log-search').addEventListener('input', ({ target }) => log.search(target.value));

// ---- the filter

function filter() {
  const wanted = at('filter').value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let any = false;
  for (const group of board.querySelectorAll('.group')) {
    const head = group.querySelector('header').textContent.toLowerCase();
    let shown = 0;
    const services = [...group.querySelectorAll('.service')];
    for (const service of services) {
      const text =
        `${head} ${service.dataset.name} ${service.dataset.phase} ${service.querySelector('code').textContent}`.toLowerCase();
      service.hidden = !wanted.every((word) => text.includes(word));
      if (!service.hidden) shown += 1;
    }
    group.hidden = shown === 0 && !(services.length === 0 && wanted.every((word) => head.includes(word)));
    any ||= !group.hidden;
  }
  at('none').hidden = any || board.querySelector('.group') === null;
}
at('filter').addEventListener('input', filter);

// ---- the keyboard

function mark() {
  for (const service of board.querySelectorAll('.service')) service.classList.toggle('current', service.id === current);
}

function move(step) {
  const services = [...board.querySelectorAll('.service')].filter(
    (service) => !service.hidden && !service.closest('.group').hidden,
  );
  const here = services.findIndex((service) => service.id === current);
  const next =
    services[here < 0 ? (step > 0 ? 0 : services.length - 1) : Math.min(services.length - 1, Math.max(0, here + step))];
  if (!next) return;
  current = next.id;
  mark();
  next.scrollIntoView({ block: 'nearest' });
  next.querySelector('a, button')?.focus({ preventScroll: true });
}

const press = (selector) => at(current)?.querySelector(selector)?.click();
const keys = {
  '/': () => at('filter').focus(),
  '?': () => at('help').showModal(),
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  o: () => press('[data-act="open"]'),
  s: () => press('[value="start"], [value="stop"]'),
  r: () => press('[value="restart"]'),
  e: () => press('[value="extend"]'),
  x: () => press('[value="keep"]'),
  l: () => press('[data-act="log"]'),
  p: () => at('log').hidden || pause(!log.isPaused),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at('help').open) return;
  const inField = event.target.matches('input');
  if (event.key === 'Escape') {
    if (inField && event.target.value !== '') {
      event.target.value = '';
      event.target.dispatchEvent(new Event('input'));
    } else if (inField) event.target.blur();
    else if (!at('log').hidden) closeLog();
    return;
  }
  if (inField && event.target.id === 'filter' && event.key === 'Enter') return move(1);
  if (inField || (event.target.closest('.lines') && event.key.startsWith('Arrow'))) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
at('help-open').addEventListener('click', keys['?']);

document.addEventListener('visibilitychange', connect);
setInterval(tick, 1000);
prepare();
connect();
