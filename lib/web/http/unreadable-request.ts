import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../problem.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** Lets a server answer a request that it cannot parse with a problem document; by default Node sends a bare status. */
export function answerUnreadable(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => answers.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket);
    // In the middle of another answer it would look like a part of that one.
    const isWithin = answer !== undefined && answer.headersSent && !answer.writableFinished;
    if (socket.writable && !isWithin) socket.write(textOf(problemOf(error.code)));
    socket.destroy();
  });
}

function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(408, 'request-timeout', 'The request has not arrived in time; send it again.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(
      431,
      'headers-too-large',
      'The address and the headers are too long; what is long goes into the body.',
    );
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new Problem(413, 'chunk-extensions-too-large', 'The extensions of chunks are too long; leave them out.');
  }
  return new Problem(
    400,
    'unreadable',
    'This is not an HTTP request, or its address has characters that must be percent-encoded.',
  );
}

function textOf(problem: Problem): string {
  const body = JSON.stringify(problem);
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...lines, '', body].join('\r\n');
}
