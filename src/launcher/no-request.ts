/** Answers what is no request that can be read, where somebody may still read the answer. */
import type { Duplex } from 'node:stream';

const tooLong = `The request has more headers than the launcher reads (1 MB). If a browser sent it, it is cookies: services at
other ports of this host have set them, and browsers send them to every port. Remove the cookies of this host in the
browser, and open services at their own names, such as hoge.localhost, where each has its own.`;

export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const isTooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const [status, text] = isTooLong
    ? ['431 Request Header Fields Too Large', tooLong]
    : ['400 Bad Request', 'This is no request that the launcher understands.'];
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text) + 1}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}\n`);
}
