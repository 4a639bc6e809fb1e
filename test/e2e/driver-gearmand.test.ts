import { expect, it } from '@jest/globals';
import { JobClient, JobWorker } from '../../lib/driver/index.js';
import { startGearmand } from '../support/gearmand.js';
import { describeWith } from '../support/peers.js';

describeWith('gearmand', 'driver and gearmand', () => {
  it('runs a job', async () => {
    const { port } = await startGearmand();
    const servers = `127.0.0.1:${port}`;
    const worker = new JobWorker({ servers });
    worker.register('reverse', async (job) => [...job.workload.toString()].reverse().join(''));
    await worker.start();
    const client = new JobClient({ servers });
    const result = await new Promise((resolve, reject) =>
      client.submit(
        { function: 'reverse', workload: Buffer.from('Hello world!') },
        { complete: (bytes) => resolve(bytes.toString()), fail: reject },
      ),
    );
    expect(result).toBe('!dlrow olleH');
    await client.close();
    await worker.close();
  });
});
