import { expect, it } from '@jest/globals';
import { runCommand, spawnCommand, startJobServerCommand } from '../../support/command.js';
import { freePort } from '../../support/free-port.js';
import { startGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';
import { RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';

/** Starts an exporter; what it tells, sample by sample. */
async function startExporter(...args: string[]): Promise<() => Promise<string[]>> {
  const port = await freePort();
  const child = spawnCommand(['exporter', '--port', `${port}`, ...args]);
  let output = '';
  child.stderr!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until('it listens', () => output.includes(`http://127.0.0.1:${port}/metrics`));
  return async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  };
}

/** Two functions: one with a worker that runs a job, one with two jobs and nobody. */
async function play(server: { port: number }): Promise<void> {
  const [client, worker] = [await RawPeer.connect(server), await RawPeer.connect(server)];
  worker.send('CAN_DO served');
  client.send('SUBMIT_JOB_BG served··x', 'SUBMIT_JOB_HIGH_BG waits··x', 'SUBMIT_JOB_LOW_BG waits··x');
  await client.nextOnes(3);
  worker.send('GRAB_JOB');
  expect(await worker.next()).toMatch(/^JOB_ASSIGN/);
}

const TOLD = [
  'gearman_up 1',
  'gearman_jobs{function="waits"} 2',
  'gearman_jobs{function="served"} 1',
  'gearman_jobs_running{function="served"} 1',
  'gearman_jobs_running{function="waits"} 0',
  'gearman_jobs_waiting{function="served"} 0',
  'gearman_jobs_waiting{function="waits"} 2',
  'gearman_workers{function="served"} 1',
  'gearman_workers{function="waits"} 0',
  'gearman_jobs_waiting_by_priority{function="waits",priority="high"} 1',
  'gearman_jobs_waiting_by_priority{function="waits",priority="normal"} 0',
  'gearman_jobs_waiting_by_priority{function="waits",priority="low"} 1',
];

describeWith('gearmand', 'nestjs-gearman exporter', () => {
  it('tells what C gearmand has, under the names boards know', async () => {
    const gearmand = await startGearmand();
    await play(gearmand);
    const told = await (await startExporter('--server', `127.0.0.1:${gearmand.port}`))();
    expect(told).toEqual(expect.arrayContaining(TOLD));
    expect(told).toContainEqual(expect.stringMatching(/^gearman_version_info\{version="1\.\d+\..*"\} 1$/));
  });

  it('tells that it is away, and what it has once it is back', async () => {
    const port = await freePort();
    const told = await startExporter('--server', `127.0.0.1:${port}`);
    expect(await told()).toEqual(['gearman_up 0']);
    await startJobServerCommand([], port);
    await until('it is up', async () => (await told()).includes('gearman_up 1'));
  });

  it('tells delayed jobs apart where the job server does, and sums the functions beyond the named ones', async () => {
    const server = await startJobServerCommand();
    await play(server);
    const client = await RawPeer.connect(server);
    client.send('SUBMIT_JOB_EPOCH waits··9999999999·x');
    await client.next();
    const told = await (await startExporter('--server', `127.0.0.1:${server.port}`, '--functions', '1'))();
    expect(told).toEqual(
      expect.arrayContaining(['gearman_jobs_delayed{function="_other"} 1', 'gearman_jobs{function="_other"} 3']),
    );
    expect(told.filter((line) => line.startsWith('gearman_workers{'))).toHaveLength(2);
  });

  it('asks one job server, and says so', async () => {
    const { code, stderr } = await runCommand(['exporter', '--server', 'a', '--server', 'b']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('an exporter asks one --server: run one for each job server'),
    ]);
  });
});
