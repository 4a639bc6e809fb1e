import { connect } from 'node:net';

/** How long an answer may take, in milliseconds; it only guards against hanging. */
const PATIENCE = 60_000;

/** Writes bytes to an HTTP port, and reads until the other side ends the connection. */
export function sayHttp(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
    socket.on('error', reject).once('close', () => resolve(answer));
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`no end after: ${answer}`)));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** A request that is alone on its connection, as bytes (latin1). */
export function requestText(line: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
  const all = { Host: 'localhost', Connection: 'close', 'Content-Length': `${body.length}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${line} HTTP/1.1`, ...lines, '', body].join('\r\n');
}

/** The statuses of all answers on a connection. */
export function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
}
