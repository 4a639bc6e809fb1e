import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { COMMAND } from '../support/command.js';
import { startPostgres, type DatabaseServer } from '../support/databases.js';
import { mustAccept } from '../support/durable-job-server.js';
import { Networks, type Network } from '../support/networks.js';
import { describeWith } from '../support/peers.js';
import { startProgram } from '../support/program.js';
import { RawPeer } from '../support/raw-peer.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

/** A job server in a network, which is spoken to through a file. */
interface JobServer {
  connect(): RawPeer;
  /** Waits until its log says so. */
  says(expected: RegExp): Promise<unknown>;
}

async function startIn({ command }: Network, name: string, url: string): Promise<JobServer> {
  const socket = join(tempDir(), 'socket');
  const queue = [
    '-q',
    'postgres',
    '--pg-url',
    url,
    '--pg-name',
    name,
    '--pg-patience',
    '1s',
    '--pg-query-timeout',
    '8s',
  ];
  const args = ['job-server', '-L', `unix:${socket}`, ...queue, '-l', 'stderr'];
  const [first, ...rest] = [...command, process.execPath, COMMAND, ...args];
  const program = startProgram(first!, rest);
  await until(`${name} listens`, () => {
    program.mustRun();
    return new Promise<boolean>((resolve) => {
      const probe = connect(socket, () => resolve(true)).once('error', () => resolve(false));
      probe.unref().end();
    });
  });
  return { connect: () => new RawPeer(connect(socket)), says: (expected) => program.says(expected) };
}

/** A worker that has been given the next job: its handle. */
async function grab(worker: RawPeer): Promise<string> {
  worker.send('PRE_SLEEP');
  expect(await worker.next()).toBe('NOOP');
  worker.send('GRAB_JOB');
  return (await worker.next()).replace(/^JOB_ASSIGN ([^·]*)·.*$/, '$1');
}

const handlesIn = async ({ sql }: DatabaseServer): Promise<string[]> =>
  (await sql("SELECT convert_from(handle, 'LATIN1') FROM gearman.jobs ORDER BY seq")).split('\n').filter(Boolean);

describeWith(['postgres', 'networks of its own'], 'a job server whose network is parted from its PostgreSQL', () => {
  it('loses its jobs to the others, ends and gives out none of them, and goes on when it is joined again', async () => {
    const networks = await Networks.join();
    const database = await startPostgres({ network: networks.near });
    const url = `postgresql://gear@${networks.near.host}:${database.port}/queues`;
    const [near, far] = [await startIn(networks.near, 'near', url), await startIn(networks.far, 'far', url)];
    const [client, worker, idle] = [far.connect(), far.connect(), far.connect()];
    worker.send('CAN_DO f');
    const first = await mustAccept(client, 'SUBMIT_JOB_BG f··first');
    expect(await grab(worker)).toBe(first);
    const second = await mustAccept(client, 'SUBMIT_JOB_BG f··second');
    await networks.part();

    client.send('SUBMIT_JOB_BG f··refused');
    expect(await client.next()).toMatch(/^ERROR QUEUE_ERROR·.*cannot be reached/);
    await far.says(/cannot show the others that it is alive/);
    idle.send('CAN_DO f', 'GRAB_JOB');
    expect(await idle.next()).toBe('NO_JOB');
    const other = near.connect();
    other.send('CAN_DO f');
    const taken = [await grab(other), await grab(other)];
    expect(taken.sort()).toEqual([first, second].sort());
    other.send(`WORK_COMPLETE ${second}·`);
    await until('its end is written', async () => (await handlesIn(database)).join() === first);

    // It still says how the first ended, which the other one runs.
    worker.send(`WORK_COMPLETE ${first}·late`);
    await networks.joinAgain();
    await far.says(/the others see that this job server is alive/);
    let later = '';
    await until('it takes jobs again', async () => {
      // With a unique it comes after every end that was told before.
      client.send('SUBMIT_JOB_BG f·u·later');
      later = (await client.next()).replace('JOB_CREATED ', '');
      return !later.startsWith('ERROR');
    });
    expect(await handlesIn(database)).toEqual([first, later]);
    other.send(`WORK_COMPLETE ${first}·`);
    await until('its end is written', async () => (await handlesIn(database)).join() === later);
  }, 180_000);
});
