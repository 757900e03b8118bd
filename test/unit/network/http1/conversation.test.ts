/** What is known of an HTTP/1 connection from the bytes that pass, however they are cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Conversation } from '../../../../src/network/http1/conversation.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Says it in pieces of this size. Returns where requests began, counted from the beginning of this text. */
function client(talk: Conversation, text: string, size = text.length): number[] {
  const begun: number[] = [];
  for (let from = 0; from < text.length; from += size) {
    const piece = bytes(text.slice(from, from + size));
    for (let at = 0; at < piece.length; ) {
      if (talk.beginsRequest(piece, at, piece.length)) begun.push(from + at);
      at = talk.fromClient(piece, at, piece.length);
    }
  }
  return begun;
}

function service(talk: Conversation, text: string, size = text.length): void {
  for (let from = 0; from < text.length; from += size) {
    const piece = bytes(text.slice(from, from + size));
    talk.fromService(piece, 0, piece.length);
  }
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** A request, and its answer in parts: only after the last one nothing is owed. */
const exchanges: Record<string, { asks: string; answers: readonly string[] }> = {
  'a length': { asks: get, answers: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'hell', 'o'] },
  'bare line feeds': { asks: 'GET / HTTP/1.1\nHost: x\n\n', answers: ['HTTP/1.1 200 OK\nContent-Length: 1\n\n', 'x'] },
  'no reason, and names in capitals': { asks: get, answers: ['HTTP/1.1 200\r\nCONTENT-LENGTH:1\r\n\r\n', 'x'] },
  'an empty body': { asks: get, answers: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', '\r\n'] },
  chunks: {
    asks: get,
    answers: [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      '5\r\nhello\r\n',
      '1A;a=b\r\n',
      'x'.repeat(26),
      '\r\n0\r\n',
      '\r\n',
    ],
  },
  trailers: {
    asks: get,
    answers: [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n',
      'Sum: 1\r\nContent-Length: 9\r\n',
      '\r\n',
    ],
  },
  'a line that ends in the data of a chunk': {
    asks: get,
    answers: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n', '\r\n0\r\n\r\n\r\n\r\n', '0\r\n', '\r\n'],
  },
  HEAD: { asks: 'HEAD / HTTP/1.1\r\n\r\n', answers: ['HTTP/1.1 200 OK\r\n', 'Content-Length: 5000\r\n', '\r\n'] },
  204: { asks: get, answers: ['HTTP/1.1 204 No Content\r\n', 'Transfer-Encoding: chunked\r\n\r\n'] },
  304: { asks: get, answers: ['HTTP/1.1 304 Not Modified\r\n', 'Content-Length: 77\r\n\r\n'] },
  'interim answers': {
    asks: get,
    answers: [
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n',
      'HTTP/1.1 102 Processing\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n',
      'x',
    ],
  },
  'an upgrade that is not taken': {
    asks: 'GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n',
    answers: ['HTTP/1.1 200 OK\r\n', 'Content-Length: 0\r\n\r\n'],
  },
  'HTTP/1.0 that stays': {
    asks: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    answers: ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n', 'ok'],
  },
};

describe.each(Object.entries(exchanges))('%s', (_, { asks, answers }) => {
  test.each([1, 2, 3, 1000])('is at rest when the answer is complete and not before, in pieces of %d', (size) => {
    const talk = new Conversation();
    expect(talk.isAtRest).toBe(true);
    for (let round = 0; round < 2; round += 1) {
      expect(client(talk, asks, size)).toEqual([0]);
      for (const part of answers) {
        expect(talk.isAtRest).toBe(false);
        service(talk, part, size);
      }
      expect(talk).toMatchObject({ isAtRest: true, speech: 'http' });
    }
  });
});

describe('what a client says', () => {
  test('counts each request of a pipeline, whatever its body contains', () => {
    const talk = new Conversation();
    const first = `POST / HTTP/1.1\r\nContent-Length: ${get.length}\r\n\r\n${get}`;
    const second = `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${get.length.toString(16)}\r\n${get}\r\n0\r\n\r\n`;
    expect(client(talk, first + second + get)).toEqual([0, first.length, first.length + second.length]);
    service(talk, ok + ok);
    expect(talk.isAtRest).toBe(false);
    service(talk, ok);
    expect(talk.isAtRest).toBe(true);
  });

  test('is not over before its body, though the answer is', () => {
    const talk = new Conversation();
    client(talk, 'POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf ');
    service(talk, 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
    expect(talk.isAtRest).toBe(false);
    client(talk, 'body.');
    expect(talk.isAtRest).toBe(true);
  });

  test('waits for 100 Continue with its body, which is not a request', () => {
    const talk = new Conversation();
    client(talk, `PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: ${get.length}\r\n\r\n`);
    service(talk, 'HTTP/1.1 100 Continue\r\n\r\n');
    expect(talk.isAtRest).toBe(false);
    expect(client(talk, get)).toEqual([]);
    service(talk, ok);
    expect(talk.isAtRest).toBe(true);
  });

  test('may begin with empty lines, which are no request', () => {
    const talk = new Conversation();
    expect(client(talk, '\r\n\r\n')).toEqual([]);
    expect(talk.isAtRest).toBe(true);
    expect(client(talk, `\n${get}`)).toEqual([0]);
  });

  test.each(['G', 'GET / HTTP/1.1', 'GET / HTTP/1.1\r\nHost: x\r\n'])('is a request that has begun: %j', (head) => {
    const talk = new Conversation();
    client(talk, head);
    expect(talk).toMatchObject({ isAtRest: false, speech: 'http' });
  });

  test('may have long lines, which are not kept', () => {
    const talk = new Conversation();
    client(talk, `GET /${'x'.repeat(60_000)} HTTP/1.1\r\nX: ${'y'.repeat(1_000_000)}\r\n\r\n`, 10_000);
    service(talk, ok);
    expect(talk).toMatchObject({ isAtRest: true, speech: 'http' });
    client(talk, `GET /${'x'.repeat(70_000)}`, 10_000);
    expect(talk.speech).toBe('unreadable');
  });
});

describe('an answer until the end of the connection', () => {
  test.each(['HTTP/1.0 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'])(
    'is never complete: %j',
    (head) => {
      const talk = new Conversation();
      client(talk, get);
      service(talk, `${head}${ok}${ok}`);
      expect(talk).toMatchObject({ isAtRest: false, speech: 'http' });
    },
  );
});

describe('a channel', () => {
  const upgrade = 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';

  test.each([
    ['an upgrade', upgrade, switched],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('begins with %s, with bytes behind the head either way, and is never at rest', (_, asks, answer) => {
    const talk = new Conversation();
    expect(client(talk, `${asks}GET / HTTP/1.1\r\n\r\n`)).toEqual([0]);
    service(talk, `${answer}\x81\x01x`);
    expect(talk.speech).toBe('channel');
    expect(client(talk, get)).toEqual([]);
    service(talk, ok);
    expect(talk).toMatchObject({ isAtRest: false, speech: 'channel' });
  });

  test('that was offered in vain leaves what came behind the offer unread', () => {
    const talk = new Conversation();
    client(talk, upgrade + get);
    service(talk, ok);
    expect(talk).toMatchObject({ isAtRest: false, speech: 'unreadable' });
  });
});

describe('unreadable is', () => {
  test.each([
    ['TLS', '\x16\x03\x01\x02\0\x01\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['Redis', '*1\r\n$4\r\nPING\r\n'],
    ['a line', 'PING\r\n'],
    ['a field that goes on', 'GET / HTTP/1.1\r\nHost: x\r\n more\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nContent-Length : 1\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a list of lengths', 'POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n'],
    ['a negative length', 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n'],
    ['a huge length', `POST / HTTP/1.1\r\nContent-Length: ${'9'.repeat(20)}\r\n\r\n`],
    ['a length and chunks', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a request that is coded otherwise', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n'],
    ['a chunk without a size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n'],
    ['a chunk that is longer than it says', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n'],
    ['a chunk of a huge size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n'],
  ])('%s', (_, said) => {
    for (const size of [1, said.length]) {
      const talk = new Conversation();
      client(talk, said, size);
      expect(talk).toMatchObject({ isAtRest: false, speech: 'unreadable' });
      service(talk, ok);
      expect(talk.isAtRest).toBe(false);
    }
  });

  test.each([
    ['a service that speaks first', '', '220 ready\r\n'],
    ['an answer that nobody asked for', '', ok],
    ['an answer before the request', 'GET / HT', ok],
    ['an answer that is none', get, 'hello\r\n'],
    ['two answers to one request', get, ok + ok],
    ['an answer with two lengths', get, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ])('%s', (_, said, answered) => {
    for (const size of [1, 1000]) {
      const talk = new Conversation();
      client(talk, said);
      service(talk, answered, size);
      expect(talk).toMatchObject({ isAtRest: false, speech: 'unreadable' });
    }
  });
});

describe('any conversation', () => {
  const body = fc.string({ unit: fc.constantFrom('\r', '\n', '0', 'a', ':', ' ', 'G'), maxLength: 20 });
  const framed = (head: string) =>
    fc.tuple(body, fc.boolean()).map(([text, isChunked]) => {
      if (!isChunked) return `${head}Content-Length: ${text.length}\r\n\r\n${text}`;
      const chunk = text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
      return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
    });
  const interim = fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
  const exchange = fc.oneof(
    fc.tuple(fc.constant(get), interim, framed('HTTP/1.1 200 OK\r\nX: y\r\n')),
    fc.tuple(framed('POST /x HTTP/1.1\r\n'), interim, framed('HTTP/1.1 500 No\r\n')),
    fc.tuple(
      fc.constant('HEAD / HTTP/1.1\r\n\r\n'),
      interim,
      fc.constant('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
    ),
    fc.tuple(fc.constant(get), interim, fc.constant('HTTP/1.1 304 Not Modified\r\n\r\n')),
  );
  const turns = fc.array(fc.record({ isClient: fc.boolean(), size: fc.integer({ min: 1, max: 60 }) }), {
    minLength: 100,
    maxLength: 100,
  });

  test('is at rest exactly when each request is complete and answered, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1, maxLength: 4 }), turns, (exchanges, order) => {
        const asked = ends(exchanges.map(([asks]) => asks));
        const answered = ends(exchanges.map(([, before, answer]) => before + answer));
        const [asks, answers] = [exchanges.map(([text]) => text).join(''), exchanges.map(([, a, b]) => a + b).join('')];
        const talk = new Conversation();
        const begun: number[] = [];
        let [said, heard] = [0, 0];
        for (const { isClient, size } of order) {
          if (isClient) {
            const piece = asks.slice(said, said + size);
            begun.push(...client(talk, piece).map((at) => said + at));
            said += piece.length;
          } else {
            // A service answers what it has heard whole.
            const complete = asked.filter((end) => end <= said).length;
            const piece = answers.slice(heard, Math.min(heard + size, answered[complete - 1] ?? 0));
            service(talk, piece);
            heard += piece.length;
          }
          const rests = [0, ...asked].indexOf(said);
          expect(talk.isAtRest).toBe(rests >= 0 && heard === [0, ...answered][rests]);
        }
        expect(talk.speech).toBe('http');
        expect(begun).toEqual([0, ...asked].filter((start) => start < said));
      }),
      { numRuns: 100 },
    );
  });

  test('is read without an error, and what is unreadable stays so', () => {
    const noise = fc.array(
      fc.tuple(
        fc.boolean(),
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(get, ok, 'HTTP/1.1 ', '\r\n', '0')),
      ),
    );
    fc.assert(
      fc.property(noise, (said) => {
        const talk = new Conversation();
        let was = talk.speech;
        for (const [isClient, text] of said) {
          if (isClient) client(talk, text);
          else service(talk, text);
          if (was !== 'http') expect(talk).toMatchObject({ speech: was, isAtRest: false });
          was = talk.speech;
        }
      }),
    );
  });
});

/** Where each text ends, when they follow each other. */
function ends(texts: readonly string[]): number[] {
  let end = 0;
  return texts.map((text) => {
    end += text.length;
    return end;
  });
}
