import { expect, it } from '@jest/globals';
import type { LogFields } from 'nestjs-gearman/job-server';
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
