import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { JobServer, type ListenerOptions } from 'nestjs-gearman/job-server';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';

/** What a job server says that is to listen there. */
async function refusal(listener: ListenerOptions): Promise<{ message: string; code: string }> {
  const jobServer = new JobServer({ listeners: [listener] });
  try {
    await jobServer.start();
  } catch (error) {
    return error as { message: string; code: string };
  }
  await jobServer.stop();
  throw new Error('it listens');
}

it('names a port that is in use, and the cure', async () => {
  const other = createServer().listen(await freePort(), '127.0.0.1');
  await once(other, 'listening');
  atEnd(() => void other.close());
  const { port } = other.address() as { port: number };
  await expect(refusal({ port })).resolves.toMatchObject({
    message: `cannot listen on 127.0.0.1:${port}: another program listens there; end it, or choose another port`,
    code: 'GEARMAN_LISTEN_FAILED',
    systemCode: 'EADDRINUSE',
  });
});

it('names an address that this machine does not have', async () => {
  const port = await freePort();
  for (const [host, written] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '[2001:db8::1]'],
  ]) {
    await expect(refusal({ host, port })).resolves.toMatchObject({
      message: expect.stringContaining(`cannot listen on ${written}:${port}: this machine has no such address`),
      systemCode: 'EADDRNOTAVAIL',
    });
  }
});

it('names a unix socket in a folder that is not there, with what the system says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-gearman-listen-'));
  await rm(folder, { recursive: true });
  const path = join(folder, 'socket');
  const { message } = await refusal({ path });
  expect(message).toMatch(`cannot listen on ${path}: `);
});
