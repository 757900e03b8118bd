import { describe, expect, test } from 'vitest';
import { launcherWith, project, seenRun, token } from '../../support/launcher.js';

const html = { accept: 'text/html,*/*' };
const act = { token, project: 'hoge', service: 'psgi', act: 'start' };
const evil = '<img src=x onerror=alert(1)>"\'&';

describe('GET /launch', () => {
  test('waits until the service listens, and redirects to its port by the name it was asked by', async () => {
    const { get, launched } = launcherWith([project('hoge')]);
    const answer = get('/launch?project=hoge&service=psgi');
    await expect.poll(() => launched.length).toBe(1);
    launched[0]?.end({ is: 'ready', host: '127.0.0.1', port: 5100 });
    expect((await answer).status).toBe(302);
    expect((await answer).headers.get('location')).toBe('http://localhost:5100/');
  });

  test('without a service means web, or else the first', async () => {
    const { get, launched } = launcherWith([project('hoge')]);
    void get('/launch?project=HOGE');
    await expect.poll(() => launched[0]?.tag).toBe('psgi');
  });

  test('shows a person who waits a page that says so, and goes on by itself', async () => {
    const { get, clock, launched } = launcherWith([project('hoge')]);
    const answer = get('/launch?project=hoge&service=psgi', html);
    await expect.poll(() => launched.length).toBe(1);
    clock.advance(150);
    const page = await answer;
    expect(page.status).toBe(200);
    expect(await page.clone().text()).toContain('content="2;url=/.proclet/launch/1"');
    expect(await page.text()).toContain('Starting hoge/psgi');
  });

  test('says with 502 why it failed, with the last lines and a way to try again', async () => {
    const { get, launched } = launcherWith([project('hoge')]);
    const answer = get('/launch?project=hoge&service=psgi');
    await expect.poll(() => launched.length).toBe(1);
    launched[0]?.lines.push({ at: 0, id: 'psgi.1', stream: 'stderr', text: `\x1b[31m${evil}\x1b]0;x\x07` });
    launched[0]?.end({ is: 'failed', reason: `psgi.1 exited with code 2 ${evil}` });
    const page = await answer;
    expect(page.status).toBe(502);
    const text = await page.text();
    expect(text).toContain('psgi.1 exited with code 2 &lt;img');
    expect(text).toMatch(/href="\/launch\?project=hoge&amp;service=psgi&amp;key=[\w-]{22}">Retry/);
    expect(text).not.toContain('<img');
    expect(text).not.toContain('\x1b');
  });

  test.each([
    ['/launch?project=nope&service=psgi', 404, 'no project is registered as nope'],
    ['/launch?project=hoge&service=rm%20-rf', 404, 'hoge has no service rm -rf; it has psgi, db'],
    ['/launch?project=..%2f..%2fetc&service=psgi', 404, 'no project is registered as ../../etc'],
    ['/launch', 404, 'which project?'],
    ['/launch?project=%3Cscript%3E&service=x', 404, 'no project is registered as &lt;script&gt;'],
    ['/launcher?project=hoge&psgi_path=/etc/passwd', 404, 'no service of hoge runs /etc/passwd'],
    ['/launcher?project=hoge&psgi_path=', 404, 'no service of hoge runs'],
    ['/nothing', 404, 'There is nothing here'],
    ['/.proclet/..%2f..%2fpackage.json', 404, 'There is nothing here'],
    ['/.proclet/board.eta', 404, 'There is nothing here'],
    ['/log?project=hoge&service=..%2fx', 404, 'There is nothing here'],
  ])('of what is not registered: %s is %i', async (path, status, text) => {
    const { get, launched } = launcherWith([project('hoge')]);
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(text);
    expect(launched).toEqual([]);
  });

  test.each(['script/app.psgi', './script/app.psgi', '/p/hoge/script/app.psgi'])(
    'the old query finds the service that names %s',
    async (path) => {
      const { get, launched } = launcherWith([project('hoge')]);
      void get(`/launcher?project=hoge&psgi_path=${encodeURIComponent(path)}`);
      await expect.poll(() => launched[0]?.tag).toBe('psgi');
    },
  );

  test('of a project that has a problem is 502 with the problem', async () => {
    const { get } = launcherWith([project('hoge', { services: [], problem: 'its directory is gone: /p/hoge' })]);
    const answer = await get('/launch?project=hoge&service=psgi');
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('its directory is gone');
  });
});

describe('whoever waits for a service is led', () => {
  const chromium = { 'user-agent': 'Mozilla/5.0 (X11) Chrome/140.0 Safari/537.36', 'sec-fetch-site': 'same-origin' };
  const safari = {
    ...chromium,
    'user-agent': 'Mozilla/5.0 (Macintosh) AppleWebKit/605.1 Version/18.0 Safari/605.1.15',
  };
  const port = 'http://localhost:5100/';
  test.each([
    ['a browser to the name of the project', 'service=psgi', chromium, 'http://hoge.localhost:2000/'],
    ['a browser without a service', '', chromium, 'http://hoge.localhost:2000/'],
    ['a browser to the name of another service', 'service=db', chromium, 'http://db.hoge.localhost:2000/'],
    ['a browser to the port, if it wants that', 'service=psgi&to=port', chromium, port],
    ['Safari to the port', 'service=psgi', safari, port],
    ['a program to the port', 'service=psgi', {}, port],
    ['a program to the name, if it wants that', 'service=db&to=name', {}, 'http://db.hoge.localhost:2000/'],
    ['a browser to the port of what has no name for itself', 'service=a_b', chromium, port],
  ])('%s', async (_, query, headers, expected) => {
    const services = ['psgi', 'db', 'a_b', 'a-b'].map((tag) => ({
      tag,
      command: 'x',
      start: 'always' as const,
      after: [],
    }));
    const { get, launched } = launcherWith([project('hoge', { services })]);
    const answer = get(`/launch?project=hoge&${query}`, headers);
    await expect.poll(() => launched.length).toBe(1);
    launched[0]?.end({ is: 'ready', host: '127.0.0.1', port: 5100 });
    expect((await answer).headers.get('location')).toBe(expected);
    const to = new URLSearchParams(query).get('to');
    const later = await get(`/.proclet/launch/1${to === null ? '' : `?to=${to}`}`, headers);
    expect(later.headers.get('location')).toBe(expected);
  });
});

describe('another page', () => {
  const from = { 'sec-fetch-site': 'cross-site' };

  test.each([
    ['an image', { ...from, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a frame', { ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['a fetch', { origin: 'http://evil.example' }],
    ['an app on another port', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ])('starts nothing by %s', async (_, headers) => {
    const { get, launched } = launcherWith([project('hoge')]);
    expect((await get('/launch?project=hoge', headers)).status).toBe(403);
    expect((await get('/launcher?project=hoge&psgi_path=script/app.psgi', headers)).status).toBe(403);
    expect(launched).toEqual([]);
  });

  test('that links here is followed only after a click on our own', async () => {
    const { get, launched } = launcherWith([project('hoge')]);
    const link = { ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    const answer = await get('/launch?project=hoge&service=psgi', link);
    expect(await answer.text()).toContain('Start hoge/psgi?');
    expect(launched).toEqual([]);
  });

  test.each([
    ['without a token', { ...act, token: '' }, {}],
    ['with another token', { ...act, token: 'x' }, {}],
    ['with the token but from elsewhere', act, { origin: 'http://evil.example' }],
    ['with the token from an app on another port', act, { origin: 'http://localhost:5100' }],
    ['with the token and no origin that counts', act, { origin: 'null' }],
    ['with the token across sites', act, { 'sec-fetch-site': 'cross-site' }],
  ])('does nothing %s', async (_, form, headers) => {
    const { post, launched, asked } = launcherWith([project('hoge')], [seenRun('/p/hoge')]);
    for (const name of ['start', 'stop', 'restart', 'extend', 'keep']) {
      expect((await post('/act', { ...form, act: name }, headers)).status).toBe(403);
    }
    expect([launched, asked]).toEqual([[], []]);
  });

  test('may not look on', async () => {
    const { get } = launcherWith([project('hoge')]);
    expect((await get('/.proclet/stream', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await get('/.proclet/stream', { origin: 'http://evil.example' })).status).toBe(403);
  });

  test('cannot frame the page, and what the page may load is ours', async () => {
    const { get } = launcherWith([project('hoge')]);
    const { headers } = await get('/');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the page', () => {
  test('holds no script, style or handler of its own', async () => {
    const { get } = launcherWith([project('hoge')], [seenRun('/p/hoge'), seenRun('/p/other', { run: '2' })]);
    const text = await (await get('/')).text();
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|javascript:/i);
  });

  test('escapes whatever a project, a command, a directory or an end is called', async () => {
    const services = [{ tag: 'psgi', command: evil, start: 'always', after: [] }] as const;
    const { get, ends } = launcherWith(
      [project('hoge', { root: `/p/${evil}`, services }), project('bad', { services: [], problem: evil })],
      [seenRun(`/x/${evil}`, { run: '3', name: evil, instance: { phase: 'down' } })],
    );
    ends.set(`/p/${evil} psgi`, { at: 1, text: evil, isFailure: true });
    const text = await (await get('/')).text();
    expect(text).not.toContain('<img');
    expect(text.split('&lt;img src=x onerror=alert(1)&gt;').length).toBeGreaterThan(6);
  });

  test('shows runs that were started elsewhere, and what they can be asked', async () => {
    const { get, post, asked } = launcherWith([project('hoge')], [seenRun('/p/other', { run: '22222222222' })]);
    expect(await (await get('/')).text()).toContain('proclet start, pid 77');
    const form = { token, run: '22222222222', service: 'psgi' };
    for (const name of ['stop', 'start', 'restart', 'extend', 'keep']) {
      expect((await post('/act', { ...form, act: name })).status).toBe(303);
    }
    expect(asked.map(({ verb }) => verb)).toEqual(['stop', 'restart', 'restart', 'extend', 'keep']);
    expect(asked[3]).toMatchObject({ run: '22222222222', targets: ['psgi'], by: 1_800_000 });
  });

  test('says what a button could not do', async () => {
    const { post } = launcherWith([project('hoge')]);
    const answer = await post('/act', { ...act, act: 'stop' }, { accept: 'application/json' });
    expect([answer.status, await answer.json()]).toMatchObject([409, { error: 'psgi does not run any more' }]);
    expect((await post('/act', { ...act, act: 'rm' })).status).toBe(400);
    expect((await post('/act', { ...act, service: 'nope' })).status).toBe(404);
    expect((await post('/act', { ...act, project: '../x' })).status).toBe(404);
    expect((await post('/act', { ...act, service: 'x'.repeat(20_000) })).status).toBe(413);
  });

  test('a form that is too long, or does not say how long it is, is refused', async () => {
    const { post } = launcherWith([project('hoge')]);
    expect((await post('/act', act, { 'content-length': '20000' })).status).toBe(413);
    expect((await post('/act', act, { 'content-length': 'x' })).status).toBe(413);
    expect((await post('/act', act, { 'transfer-encoding': 'chunked' })).status).toBe(413);
  });

  test('start starts, and is back at once', async () => {
    const { post, launched, said } = launcherWith([project('hoge')]);
    const answer = await post('/act', act);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(launched).toMatchObject([{ project: 'hoge', tag: 'psgi' }]);
    expect(said).toEqual(['start: hoge/psgi']);
  });

  test('tells no secret of any project in the error of a button, to programs and to people', async () => {
    const secret = 'hunter2-hunter2';
    const problem = `.env:3: ${secret} is no line`;
    const all = [project('bad', { services: [], problem }), project('hoge', { secrets: [secret] })];
    const { post } = launcherWith(all);
    for (const accept of ['application/json', 'text/html']) {
      const answer = await post('/act', { ...act, project: 'bad', act: 'start' }, { accept });
      const text = await answer.text();
      expect([answer.status, text]).toEqual([409, expect.stringContaining('.env:3: •••• is no line')]);
      expect(text).not.toContain(secret);
    }
  });

  test('tells no secret: of a command, a problem, an end, a log line or a reason', async () => {
    const secret = 'hunter2-hunter2';
    const services = [{ tag: 'psgi', command: `run --key ${secret}`, start: 'always', after: [] }] as const;
    const all = [
      project('hoge', { services, secrets: [secret] }),
      project('bad', { secrets: [secret], problem: secret }),
    ];
    const { get, ends, launched } = launcherWith(all, [seenRun('/p/hoge', { instance: { phase: 'failed' } })]);
    ends.set('/p/hoge psgi', { at: 1, text: `psgi.1 said ${secret}`, isFailure: true });
    const answer = get('/launch?project=hoge&service=psgi');
    await expect.poll(() => launched.length).toBe(1);
    launched[0]?.lines.push({ at: 0, id: 'psgi.1', stream: 'stdout', text: `key is ${secret}` });
    launched[0]?.end({ is: 'failed', reason: `it said ${secret}` });
    const texts = [await (await get('/')).text(), await (await answer).text()];
    texts.push(await (await get('/launch?project=bad&service=psgi')).text());
    for (const text of texts) {
      expect(text).toContain('••••');
      expect(text).not.toContain(secret);
    }
  });
});

describe('at the name of a service', () => {
  const hoge = project('hoge');
  const site = { project: hoge, tag: 'psgi' };
  const pass = () => new Response('passed on');

  test('any path starts it, and is passed on when it listens', async () => {
    const { get, launched } = launcherWith([hoge]);
    const answer = get('/any/path?x=1', {}, { site, pass });
    await expect.poll(() => launched.length).toBe(1);
    launched[0]?.end({ is: 'ready', host: '127.0.0.1', port: 5100 });
    expect(await (await answer).text()).toBe('passed on');
  });

  test('a person who waits is brought back to the path, and to no other place', async () => {
    const { get, clock, launched } = launcherWith([hoge]);
    const answer = get('/any?x=1', html, { site, pass });
    await expect.poll(() => launched.length).toBe(1);
    clock.advance(150);
    expect(await (await answer).text()).toContain('content="2;url=/.proclet/launch/1?to=%2Fany%3Fx%3D1"');
    launched[0]?.end({ is: 'ready', host: '127.0.0.1', port: 5100 });
    const to = async (path: string) =>
      (await get(`/.proclet/launch/1?to=${encodeURIComponent(path)}`, {}, { site, pass })).headers.get('location');
    expect(await to('/any?x=1')).toBe('/any?x=1');
    for (const path of ['//evil.example', 'http://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
      expect(await to(path)).toMatch(/^\/(?![/\\])/);
    }
  });

  test('what is no navigation waits for its answer, and no page takes its place', async () => {
    const { post, get, clock, launched } = launcherWith([hoge]);
    const asked = [
      () => post('/form', { text: 'typed' }, html, { site, pass }),
      () => get('/', { ...html, 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' }, { site, pass }),
    ];
    for (const ask of asked) {
      const answer = ask();
      await expect.poll(() => launched.length).toBe(asked.indexOf(ask) + 1);
      clock.advance(60_000);
      launched.at(-1)?.end({ is: 'ready', host: '127.0.0.1', port: 5100 });
      expect(await (await answer).text()).toBe('passed on');
    }
  });

  test('a form that was not passed on is not asked for again without what it had', async () => {
    const { post, launched } = launcherWith([hoge]);
    const answer = post('/form', { text: 'typed' }, html, { site, pass });
    await expect.poll(() => launched.length).toBe(1);
    launched[0]?.end({ is: 'failed', reason: 'it ended' });
    const failed = await answer;
    expect(failed.status).toBe(502);
    const page = await failed.text();
    expect(page).toContain('What you sent was not passed on. Load this page again to send it once more.');
    expect(page).not.toContain('>Retry<');
    const foreign = {
      ...html,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    const asked = await (await post('/form', {}, foreign, { site, pass })).text();
    expect(asked).toContain('What the form has was not passed on');
    expect(launched).toHaveLength(1);
  });

  test('neither the page nor its streams nor the starts of others are there', async () => {
    const { get, launched } = launcherWith([hoge]);
    void get('/launch?project=hoge&service=db');
    await expect.poll(() => launched.length).toBe(1);
    expect((await get('/.proclet/stream', {}, { site, pass })).status).toBe(404);
    expect((await get('/.proclet/stream?launch=1', {}, { site, pass })).status).toBe(404);
    expect((await get('/.proclet/launch/1', {}, { site, pass })).status).toBe(302);
  });
});

describe('streams', () => {
  test('are refused when there are too many', async () => {
    const { get, streams } = launcherWith([project('hoge')], [], 2);
    const open = [await get('/.proclet/stream'), await get('/.proclet/stream')];
    expect(streams.size).toBe(2);
    expect((await get('/.proclet/stream')).status).toBe(503);
    await Promise.all(open.map((answer) => answer.body?.cancel()));
    await expect.poll(() => streams.size).toBe(0);
    expect((await get('/.proclet/stream')).status).toBe(200);
  });

  test('tell a page of another launcher to load itself again', async () => {
    const { get } = launcherWith([project('hoge')]);
    const reader = (await get('/.proclet/stream?seen=1%20another')).body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toContain('event: stale');
  });
});
