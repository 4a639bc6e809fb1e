import { expect, it } from '@jest/globals';
import type { JobServerOptions, LogFields } from 'nestjs-gearman/job-server';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { MemoryStorage, StorageError } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { startFront, submit } from '../../../support/front.js';
import { serverWithClocks } from '../../../support/set-clocks.js';
import { rawPacket } from '../../../support/wire.js';

it('a job that failed for good is logged with its function, its handle, who ran it, and how long', async () => {
  const lines: [level: string, message: string, fields?: LogFields][] = [];
  const front = await startFront({ log: (...line) => lines.push(line) });
  const [client, worker] = [front.peer(), front.peer()];
  const handle = await submit(client, 'SUBMIT_JOB f··x');
  worker.send('CAN_DO f', 'GRAB_JOB');
  await worker.next();
  worker.send(`WORK_FAIL ${handle}`);
  await client.next();
  const peer = 'in-process (#2)';
  expect(lines).toEqual([
    ['debug', `${handle}: a job of f failed at ${peer}`, { function: 'f', handle, peer, duration: expect.any(Number) }],
  ]);
});

it('a log line tells programs which connection it is about, and how long that was open', async () => {
  const lines: [message: string, fields: LogFields | undefined][] = [];
  const front = await startFront({
    maxConnections: 1,
    log: (_level, message, fields) => lines.push([message, fields]),
  });
  const peer = front.peer();
  // An argument is missing; then a type that no packet has.
  peer.send('SUBMIT_JOB f');
  await peer.next();
  front.peer();
  peer.stream.write(rawPacket('\0REQ', 99, ''));
  await peer.next();
  const name = 'in-process (#1)';
  expect(lines).toEqual([
    [expect.stringContaining(`${name}: `), { peer: name }],
    ['in-process: refused: 1 connections are open (maxConnections)', { peer: 'in-process' }],
    [expect.stringContaining(`${name}: closed: `), { peer: name, duration: expect.any(Number) }],
  ]);
});

it('how long a connection was open does not hang on the date, which may be set meanwhile', async () => {
  const lines: (LogFields | undefined)[] = [];
  const { clocks, peer: connect } = await serverWithClocks({ log: (_level, _message, fields) => lines.push(fields) });
  clocks.frozenAt = 1_000;
  const peer = connect();
  clocks.frozenAt = 3_000;
  clocks.ahead = -3_600_000;
  peer.stream.write(rawPacket('\0REQ', 99, ''));
  await peer.next();
  expect(lines).toEqual([{ peer: 'in-process (#1)', duration: 2_000 }]);
});

it('what a storage cannot do is logged with the code of its error', async () => {
  class Unreachable extends MemoryStorage {
    override due(): never {
      throw new StorageError('GEARMAN_STORAGE_UNREACHABLE', 'it is away');
    }
  }
  const lines = await linesOf({ storage: new Unreachable() });
  expect(lines).toContainEqual([
    'storage: cannot tell which jobs are due: it is away',
    { code: 'GEARMAN_STORAGE_UNREACHABLE' },
  ]);
});

it('where the job server listens is logged with the address', async () => {
  const lines = await linesOf({ listeners: [{ host: '127.0.0.1', port: 0 }] });
  expect(lines).toEqual([[expect.any(String), { address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }]]);
});

it('what a listener of events threw is logged with the job it was told of', async () => {
  const lines: unknown[] = [];
  const front = await startFront({ log: (_level, ...line) => lines.push(line) });
  front.server.on('submitted', () => {
    throw new Error('no');
  });
  const handle = await submit(front.peer(), 'SUBMIT_JOB_BG f··x');
  expect(lines).toEqual([["a listener of 'submitted' threw: Error: no", { function: 'f', handle }]]);
});

/** What a job server with these options logs when it starts. */
async function linesOf(options: JobServerOptions): Promise<unknown[]> {
  const lines: unknown[] = [];
  const server = new JobServer({ listeners: [], ...options, log: (_level, ...line) => lines.push(line) });
  atEnd(() => server.stop());
  await server.start();
  return lines;
}
