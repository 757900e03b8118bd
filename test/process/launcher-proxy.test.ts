/** What passes between a client and a service at the service's own name, byte by byte. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http, { type Server } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { answerClientError } from '../../src/launcher/no-request.js';
import { eventually } from '../support/eventually.js';
import { listening, proxied, saying } from '../support/proxied.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const bodyOf = (answer: string) => answer.split('\r\n\r\n').slice(1).join('\r\n\r\n');

describe('the answer of a service', () => {
  test('with a Trailer header and a length is passed on without it', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nhi';
    const { raw, host } = await proxied(await saying(answer));
    const answered = await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answered).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answered).not.toMatch(/trailer/i);
    expect(bodyOf(answered)).toBe('hi');
  });

  test('keeps its letters, order and repetitions, its early hints, and its trailers', async () => {
    const answer =
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
      'HTTP/1.1 299 Oddly fine\r\nsEt-cookie: a\r\nX-B: 1\r\nSet-Cookie: b\r\nx-b: 2\r\nConnection: X-Gone\r\nX-Gone: 1\r\n' +
      'Upgrade: h2c\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n';
    const { raw, host } = await proxied(await saying(answer));
    expect(await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
        'HTTP/1.1 299 Oddly fine\r\nsEt-cookie: a\r\nX-B: 1\r\nSet-Cookie: b\r\nx-b: 2\r\n' +
        'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n',
    );
  });

  test.each([
    ['a status below 100', 'HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nhi'],
    [
      'a protocol that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['no HTTP', 'no HTTP at all\r\n\r\n'],
    ['a control character in a header', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n'],
    ['a control character in its reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nhi'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi'],
    ['nothing', ''],
  ])('that is %s is 502 with a sentence, and the next one is passed on', async (_, answer) => {
    let isFirst = true;
    const service = await saying((socket) => {
      socket.end(Buffer.from(isFirst ? answer : ok, 'latin1'));
      isFirst = false;
    });
    const { raw, host, said } = await proxied(service);
    const post = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n`;
    const answered = await raw(`${post}\r\nab${post}Connection: close\r\n\r\nab`);
    expect(answered).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(answered).toMatch(/hoge\/psgi did not answer: .+\.\n/);
    expect(answered).toMatch(/HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
    expect(said).toEqual([]);
  });

  test('that breaks off does not look whole', async () => {
    for (const head of ['Content-Length: 100\r\n\r\nhi', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n']) {
      const { raw, host } = await proxied(await saying(`HTTP/1.1 200 OK\r\n${head}`));
      const answered = await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answered).toMatch(/hi(?:\r\n)?$/);
    }
  });

  test('that needs no more of the body is passed on, and the connection goes on', async () => {
    const service = await saying((socket) => void socket.write('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n'));
    const { raw, host } = await proxied(service);
    const long = 4_000_000;
    const post = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${long}\r\n\r\n${'x'.repeat(long)}`;
    const answered = await raw(post, `GET / HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n`);
    expect(answered).toMatch(/^HTTP\/1\.1 413 No\r\n[\s\S]*HTTP\/1\.1 200 OK/);
  });
});

describe('a request', () => {
  test('reaches the service as it was written, with its trailers', async () => {
    let seen = '';
    const service = await saying((socket, data) => {
      seen += data.toString('latin1');
      if (seen.endsWith('X-Sum: 5\r\n\r\n')) socket.end(ok);
    });
    const { raw, host, port } = await proxied(service);
    await raw(
      `PUT http://x/a%20b?c HTTP/1.1\r\nx-Odd: \xe9\r\nHost: ${host}\r\nConnection: close, X-Mine, Host\r\nX-Mine: 1\r\nTE: trailers\r\n` +
        'Trailer: X-Sum\r\nX-Odd: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n',
    );
    expect(seen).toBe(
      `PUT /a%20b?c HTTP/1.1\r\nHost: ${host}\r\nx-Odd: \xe9\r\nX-Odd: 2\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: ${host}\r\n` +
        `X-Forwarded-Port: ${port}\r\nX-Forwarded-Proto: http\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nTE: trailers\r\n` +
        'Connection: close\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n',
    );
  });

  test('with a Trailer header and a length, or thousands of headers before its length, is one request', async () => {
    const seen: string[] = [];
    const server = http.createServer({ maxHeaderSize: 100_000 }, async (request, response) => {
      seen.push((await request.toArray()).join(''));
      response.end('ok');
    });
    server.maxHeadersCount = 0;
    const { raw, host } = await proxied(await listening(server));
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`;
    await raw(`${head}Trailer: X\r\nContent-Length: 2\r\n\r\nab`);
    await raw(`${head}${'a:\r\n'.repeat(3_000)}Content-Length: 2\r\n\r\ncd`);
    expect(seen).toEqual(['ab', 'cd']);
  });

  test('that expects 100 sends its body when the service says so', async () => {
    const service = await saying((socket, data) => {
      if (/^Expect: 100-continue\r$/m.test(String(data))) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      else socket.end(`HTTP/1.1 200 OK\r\n\r\n${data}`);
    });
    const { connect, host } = await proxied(service);
    let text = '';
    const socket = connect((data) => {
      text += data;
      if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('hello');
    });
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    await eventually(() => expect(text).toMatch(/HTTP\/1\.1 200 OK[\s\S]*hello/));
  });

  test('is never lost because the service closes the connection of the one before', async () => {
    const server = http.createServer((request, response) => {
      request.resume();
      response.end('ok');
      // As a server does whose patience with a kept connection is over.
      response.on('finish', () => setImmediate(() => request.socket.destroy()));
    });
    const { host, port } = await proxied(await listening(server));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 200; n += 1) {
      const status = await new Promise((go, fail) => {
        const request = http.request(
          { port, host: '127.0.0.1', method: 'POST', agent, headers: { host } },
          (answer) => {
            answer.resume().on('end', () => go(answer.statusCode));
          },
        );
        request.on('error', fail).end('body');
      });
      expect(status).toBe(200);
    }
    agent.destroy();
  });

  test('has no limit of time but for its head', async () => {
    const servers: Server[] = [];
    const note = (message: unknown) => void servers.push((message as { server: Server }).server);
    subscribe('http.server.request.start', note);
    const { raw, host } = await proxied(await saying(ok));
    await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    unsubscribe('http.server.request.start', note);
    expect(servers[0]).toMatchObject({ requestTimeout: 0, headersTimeout: 20_000 });
  });
});

describe('an offer of another protocol', () => {
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n';

  test('that is not a WebSocket is ignored, with a body and behind another request, too', async () => {
    const seen: string[] = [];
    const server = http.createServer(async (request, response) => {
      const body = (await request.toArray()).join('');
      seen.push(`${request.headers.upgrade} ${request.headers['http2-settings']}`);
      if (request.url === '/slow') await new Promise((go) => setImmediate(go));
      response.end(`[${request.method} ${request.url} ${body}]`);
    });
    const { raw, host, port } = await proxied(await listening(server));
    const answered = await raw(
      `GET /slow HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      `POST /a HTTP/1.1\r\nHost: ${host}\r\n${offer}Content-Length: 5\r\n\r\nhello`,
      `GET /b HTTP/1.1\r\nHost: ${host}\r\n${offer}\r\n`,
      `POST /c HTTP/1.1\r\nHost: ${host}\r\n${offer}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
      `GET /d HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(answered.match(/\[.*?\]/g)).toEqual([
      '[GET /slow ]',
      '[POST /a hello]',
      '[GET /b ]',
      '[POST /c hi]',
      '[GET /d ]',
    ]);
    expect(seen).toEqual(Array(5).fill('undefined undefined'));
    const page = await raw(
      `GET / HTTP/1.1\r\nHost: localhost:${port}\r\n${offer}\r\n`,
      `GET /.proclet/icon.svg HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`,
    );
    expect(page).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*<html[\s\S]*HTTP\/1\.1 200 OK[\s\S]*<svg/);
  });

  const webSocket =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n';

  test('that is one is the service’s to take up, and what is said early is not lost', async () => {
    const service = await saying((socket, data) => {
      const text = String(data);
      if (text.startsWith('GET /no ')) return socket.end('HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nno\n');
      if (!text.startsWith('GET ')) return socket.write(`<${text}>`);
      return socket.write('HTTP/1.1 101 Fine\r\nupgrade: websocket\r\nconnection: upgrade\r\nX-A: 1\r\n\r\nfirst');
    });
    const { raw, connect, host } = await proxied(service);
    let text = '';
    const socket = connect((data) => {
      text += data;
    });
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${webSocket}early`);
    const head = 'HTTP/1.1 101 Fine\r\nX-A: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    await eventually(() => expect(text).toBe(`${head}first<early>`));
    expect(await raw(`GET /no HTTP/1.1\r\nHost: ${host}\r\n${webSocket}`)).toMatch(
      /^HTTP\/1\.1 403 No\r\n[\s\S]*no\n$/,
    );
    expect(await raw(`GET / HTTP/1.1\r\nHost: nope.localhost:1\r\nConnection: close\r\n${webSocket}`)).toMatch(
      /^HTTP\/1\.1 404/,
    );
  });

  test('that is one comes to a project that was added a moment ago', async () => {
    const service = await saying((socket) =>
      socket.write('HTTP/1.1 101 Fine\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    );
    const { connect, host } = await proxied(service, 'added later');
    let text = '';
    const socket = connect((data) => {
      text += data;
    });
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${webSocket}`);
    await eventually(() => expect(text).toMatch(/^HTTP\/1\.1 101 Fine\r\n/));
  });

  test('wakes a service, and is 502 if that does not start', async () => {
    const { raw, host, launched } = await proxied();
    const answers = [1, 2].map(() => raw(`GET / HTTP/1.1\r\nHost: ${host}\r\n${webSocket}`));
    await eventually(() => expect(launched.length).toBe(2));
    const state = { is: 'ready', host: '127.0.0.1', port: await saying(ok) } as const;
    launched[0]?.end(state);
    launched[1]?.end({ is: 'failed', reason: 'x' });
    const statuses = (await Promise.all(answers)).map((answer) => answer.split('\r\n')[0]);
    expect(statuses.sort()).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 502 Bad Gateway']);
  });
});

describe('a form that is sent to a service that sleeps', () => {
  test('waits with all that it has, however much, and comes to the service as it was sent', async () => {
    let seen = 0;
    const service = await listening(
      http.createServer(async (request, response) => {
        for await (const chunk of request) seen += chunk.length;
        response.end(`${request.method} ${request.url} ${seen}`);
      }),
    );
    const { raw, host, launched } = await proxied();
    const size = 5_000_000;
    const answer = raw(
      `POST /form HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n`,
      `Sec-Fetch-Dest: document\r\nAccept: text/html\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`,
    );
    await eventually(() => expect(launched.length).toBe(1));
    expect(seen).toBe(0);
    launched[0]?.end({ is: 'ready', host: '127.0.0.1', port: service });
    expect(bodyOf(await answer)).toContain(`POST /form ${size}`);
  });

  test('that has gone since it was last seen waits for its next life', async () => {
    const gone = http.createServer();
    const port = await listening(gone);
    const { raw, host, launched } = await proxied(port);
    await new Promise((go) => gone.close(go));
    const answer = raw(`POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`);
    await eventually(() => expect(launched.length).toBe(1));
    let seen = '';
    const service = await saying((socket, data) => {
      seen += data;
      if (seen.endsWith('hello')) socket.end(ok);
    });
    launched[0]?.end({ is: 'ready', host: '127.0.0.1', port: service });
    expect(bodyOf(await answer)).toBe('ok');
  });
});

describe('what is no request', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', '400 Bad Request', 'ask with a\nprogram that speaks HTTP/1.1'],
    ['TLS', '\x16\x03\x01\x02\x00\x01', '400 Bad Request', 'Open the address with http://'],
    [
      'a head of over 1 MB',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(1_100_000)}\r\n\r\n`,
      '431 Request',
      'Remove the cookies',
    ],
    [
      'a request for two hosts',
      'GET / HTTP/1.1\r\nHost: HOST\r\nHost: b.localhost\r\nConnection: close\r\n\r\n',
      '400 Bad',
      'Send exactly one',
    ],
  ])('such as %s gets a sentence that says what to do', async (_, bytes, status, sentence) => {
    const { raw, host } = await proxied(await saying(ok));
    const answered = await raw(bytes.replace('HOST', host));
    expect(answered.slice(9)).toMatch(new RegExp(`^${status}`));
    expect(bodyOf(answered)).toContain(sentence);
  });

  test('such as a head that does not arrive in time gets 408', () => {
    const { written, socket } = recorded();
    answerClientError(Object.assign(new Error('x'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    expect(written()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*within 20 seconds[\s\S]*again/);
  });
});

function recorded() {
  const socket = new PassThrough();
  return { socket, written: () => String(socket.read()) };
}

describe('the end of the launcher', () => {
  test('comes with a WebSocket, a stream, a download and half a request open', async () => {
    const service = await saying((socket, data) => {
      const isSocket = String(data).includes('websocket');
      socket.write(
        isSocket
          ? 'HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
          : `HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n${'x'.repeat(1_000_000)}`,
      );
    });
    const { connect, host, port, launcher } = await proxied(service);
    const own = `localhost:${port}`;
    const heads = [
      `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`,
      `GET /download HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      `GET /.proclet/stream HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
      `GET /.proclet/icon.svg HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
    ];
    const begun = new Set<string>();
    for (const head of heads) {
      const socket = connect(() => {
        begun.add(head);
        socket.pause();
      });
      socket.write(head);
    }
    const half = connect();
    half.write('GET / HTT');
    await eventually(() => expect(begun.size).toBe(heads.length));
    await launcher.close();
    await eventually(() => expect(half.destroyed).toBe(true));
  });
});
