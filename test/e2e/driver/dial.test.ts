import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type TlsOptions as TlsServerOptions, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { dial, parseAddress, type ServerAddress } from '../../../lib/connection/index.js';
import { certificateAuthority } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { describeWith } from '../../support/peers.js';

const TIMEOUT = 2_000;
const reach = (address: ServerAddress, signal?: AbortSignal, timeout = TIMEOUT) =>
  dial(parseAddress(address), { timeout, signal });

/** Has a server listen on a free loopback port, and says which. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function echoed(stream: Awaited<ReturnType<typeof dial>>): Promise<string> {
  stream.write('hello');
  const [bytes] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  return bytes.toString();
}

describe('dialing', () => {
  it('reaches a TCP port', async () => {
    const port = await listening(createServer((socket) => socket.pipe(socket)));
    expect(await echoed(await reach(`127.0.0.1:${port}`))).toBe('hello');
  });

  it('reaches a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gearman-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const server = createServer((socket) => socket.pipe(socket)).listen(join(folder, 'gearman.sock'));
    atEnd(() => void server.close());
    await once(server, 'listening');
    expect(await echoed(await reach(`unix:${folder}/gearman.sock`))).toBe('hello');
    await expect(reach(`unix:${folder}/other.sock`)).rejects.toThrow('there is no such socket');
  });

  it('says what to look at when nothing listens', async () => {
    const port = await freePort();
    await expect(reach(`127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'GEARMAN_CONNECT_FAILED',
      server: `127.0.0.1:${port}`,
      message: expect.stringContaining('nothing listens there; is it running, and is the port right? (ECONNREFUSED)'),
      cause: { code: 'ECONNREFUSED' },
    });
    // Both addresses of a name refuse: Node's own error then says nothing.
    await expect(reach(`localhost:${port}`)).rejects.toThrow('nothing listens there');
  });

  it('gives up when it is told to', async () => {
    const port = await listening(createServer());
    const abort = new AbortController();
    const dialing = reach({ host: '127.0.0.1', port, tls: true }, abort.signal);
    abort.abort();
    await expect(dialing).rejects.toThrow('the attempt was given up');
    await expect(reach(`127.0.0.1:${port}`, abort.signal)).rejects.toThrow('the attempt was given up');
  });

  it('waits no longer than it may', async () => {
    // It accepts, and never answers the TLS hello.
    const port = await listening(createServer());
    await expect(reach(`tls://127.0.0.1:${port}`, undefined, 50)).rejects.toThrow(
      'no answer within 50 ms (connectTimeout)',
    );
  });

  it('wraps what an address with connect() throws', async () => {
    const address = {
      name: 'mine',
      connect: () => {
        throw new Error('not started');
      },
    };
    await expect(reach(address)).rejects.toThrow('cannot connect to the job server mine: not started');
  });

  it.each([
    ['a certificate that is none', { cert: Buffer.from('x'), key: Buffer.from('y') }, 'no start line'],
    ['a version of TLS that there is not', { minVersion: 'TLSv9' as 'TLSv1.3' }, 'TLSv9'],
  ])('wraps what Node says of %s', async (_what, tls, message) => {
    await expect(reach({ port: 4730, tls })).rejects.toMatchObject({
      code: 'GEARMAN_CONNECT_FAILED',
      message: expect.stringContaining(message),
    });
  });
});

describeWith('openssl', 'dialing with TLS', () => {
  let authority: ReturnType<typeof certificateAuthority>;
  beforeAll(() => void (authority = certificateAuthority()));

  const secured = (options: TlsServerOptions) =>
    listening(createTlsServer(options, (socket: TLSSocket) => socket.pipe(socket)));

  it('checks the certificate against the given authority', async () => {
    const port = await secured(authority.issue('localhost'));
    const { ca } = authority;
    expect(await echoed(await reach({ host: 'localhost', port, tls: { ca } }))).toBe('hello');
    await expect(reach({ host: 'localhost', port, tls: true })).rejects.toThrow('give it as `tls.ca`');
    const careless = { host: 'localhost', port, tls: { rejectUnauthorized: false } };
    expect(await echoed(await reach(careless))).toBe('hello');
  });

  it('checks the name, which servername may replace', async () => {
    const port = await secured(authority.issue('jobs.example'));
    const { ca } = authority;
    await expect(reach({ host: 'localhost', port, tls: { ca } })).rejects.toThrow('belongs in `tls.servername`');
    const tls = { ca, servername: 'jobs.example' };
    expect(await echoed(await reach({ host: '127.0.0.1', port, tls }))).toBe('hello');
  });

  it('shows its own certificate where one is demanded', async () => {
    const { ca } = authority;
    const port = await secured({ ...authority.issue('localhost'), ca, requestCert: true, rejectUnauthorized: true });
    const client = authority.issue('client');
    expect(await echoed(await reach({ host: 'localhost', port, tls: { ca, ...client } }))).toBe('hello');
  });

  it('never falls back to plain text', async () => {
    const seen: Buffer[] = [];
    const server = createServer((socket) => socket.on('data', (bytes: Buffer) => seen.push(bytes)).end('plain\n'));
    const port = await listening(server);
    await expect(reach(`tls://127.0.0.1:${port}`)).rejects.toThrow('it does not speak TLS on that port');
    expect(Buffer.concat(seen).includes('REQ')).toBe(false);
  });
});
