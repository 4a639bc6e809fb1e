import { expect, it } from '@jest/globals';
import { JobServer } from 'nestjs-gearman/job-server';
import { atEnd } from '../../support/cleanup.js';
import { newWorker, resultOf, startClient } from '../../support/driver-jobs.js';
import { readPacket } from '../../support/wire.js';

/** An address of the job server that writes down the names of all packets it sends over it. */
function overheard(server: JobServer) {
  const packets: string[] = [];
  const connect = () => {
    const stream = server.connect();
    let bytes = Buffer.alloc(0);
    return stream.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let packet = readPacket(bytes); packet; packet = readPacket(bytes)) {
        packets.push(packet.notation.split(' ')[0]!);
        bytes = bytes.subarray(packet.size);
      }
    });
  };
  return { packets, address: { connect } };
}

it('our job server pushes to our worker: an assignment for each job, and not a packet more', async () => {
  const server = new JobServer({ listeners: [] });
  await server.start();
  atEnd(() => server.stop());
  const { packets, address } = overheard(server);
  const worker = newWorker({ servers: address, concurrency: 2 });
  worker.register('pushed', (job) => job.workload);
  await worker.start();
  const client = startClient({ servers: server });
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      Array.from({ length: 3 }, () => resultOf(client, { function: 'pushed', workload: Buffer.from('x') })),
    );
  }
  // One answer for each extension it asked for at its greeting.
  const greeting = packets.slice(0, packets.indexOf('ECHO_RES') + 1);
  expect(new Set(greeting.slice(0, -1))).toEqual(new Set(['OPTION_RES']));
  expect(packets.slice(greeting.length)).toEqual(Array.from({ length: 9 }, () => 'JOB_ASSIGN_UNIQ'));
  await worker.close();
  // It took its two kept grabs back, and said farewell.
  expect(packets.slice(greeting.length + 9)).toEqual(['NO_JOB', 'NO_JOB', 'ECHO_RES']);
});
