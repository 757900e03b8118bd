/** Answers what is no request that can be read, where somebody may still read the answer. */
import type { Duplex } from 'node:stream';

/** The status with its reason, and the sentence for a person. */
type Answer = readonly [status: string, text: string];

const tooLong = `The request has more headers than the launcher reads (1 MB). If a browser sent it, it is cookies: services at
other ports of this host have set them, and browsers send them to every port. Remove the cookies of this host in the
browser, and open services at their own names, such as hoge.localhost, where each has its own.`;

const tooSlow = `The head of the request did not arrive within 20 seconds, so the launcher has closed the connection. Send the
request again; if a person types it, let a program such as curl send it.`;

const notHttp: Answer = [
  '400 Bad Request',
  `This is no HTTP/1.1 request that the launcher understands. Open the address with http:// (not https://), or ask with a
program that speaks HTTP/1.1, such as curl.`,
];

/** By the code of Node's error. */
const byCode: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', tooLong],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', tooSlow],
};

export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, text] = byCode[error.code ?? ''] ?? notHttp;
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text) + 1}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}\n`);
}
