import { describe, expect, it } from '@jest/globals';
import { JobServer } from 'nestjs-gearman/job-server';
import type { JobClient, JobWorker } from '../../../lib/driver/index.js';
import { atEnd } from '../../support/cleanup.js';
import { follow, gate, newWorker, resultOf, startClient } from '../../support/driver-jobs.js';
import type { Daemon } from '../../support/daemon.js';
import { freePort } from '../../support/free-port.js';
import { startGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';

/** Quick to notice and to return, so that the tests are. */
const QUICK = {
  reconnect: { initialDelay: 10, maxDelay: 100 },
  heartbeatInterval: 100,
  heartbeatTimeout: 300,
};

const addressOf = ({ port }: Daemon) => `127.0.0.1:${port}`;

async function connectedToAll(daemons: readonly Daemon[], who: JobClient | JobWorker): Promise<void> {
  await until('all job servers are connected', () => who.connectedServers.length === daemons.length);
}

describeWith('gearmand', 'several job servers', () => {
  async function fleet(size: number, begin: Promise<void> = Promise.resolve()) {
    const daemons = await Promise.all(Array.from({ length: size }, () => startGearmand()));
    const servers = daemons.map(addressOf);
    const worker = newWorker({ servers, ...QUICK });
    const ran: string[] = [];
    worker.register('work', async (job) => {
      ran.push(job.server);
      await begin;
      return job.workload;
    });
    await worker.start();
    await connectedToAll(daemons, worker);
    return { daemons, servers, worker, ran };
  }

  const work = (client: JobClient, id: number, unique?: string) =>
    resultOf(client, { function: 'work', workload: Buffer.from(`${id}`), unique });

  it.each(['failover', 'round-robin', 'hash'] as const)(
    '%s: when one is killed under load, every caller gets its answer, and it serves again when it is back',
    async (choose) => {
      const { daemons, servers, worker, ran } = await fleet(2);
      const client = startClient({ servers, choose, ...QUICK });
      await client.connect();
      await connectedToAll(daemons, client);
      let answered = 0;
      const calls = Array.from({ length: 1_000 }, async (_, id) => {
        const answer = (await work(client, id, `unique ${id}`)).toString();
        answered++;
        return answer;
      });
      await until('it is under load', () => answered >= 100 && ran.includes(servers[0]!));
      await daemons[0]!.kill();
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 1_000 }, (_, id) => `${id}`));

      const { port } = daemons[0]!;
      await startGearmand([], port);
      await Promise.all([connectedToAll(daemons, client), connectedToAll(daemons, worker)]);
      ran.length = 0;
      await Promise.all(Array.from({ length: 50 }, (_, id) => work(client, id, `again ${id}`)));
      expect(ran).toContain(servers[0]);
    },
  );

  it('of both kinds stand in for each other: one is killed, another stopped, and every caller gets its answer', async () => {
    const daemons = await Promise.all([startGearmand(), startGearmand()]);
    const ours = new JobServer({ listeners: [{ host: '127.0.0.1', port: await freePort() }] });
    await ours.start();
    atEnd(() => ours.stop());
    const servers = [...daemons.map(addressOf), ours.addresses[0]!];
    const worker = newWorker({ servers, ...QUICK });
    const ran = new Set<string>();
    worker.register('work', (job) => {
      ran.add(job.server);
      return job.workload;
    });
    await worker.start();
    const client = startClient({ servers, choose: 'round-robin', ...QUICK });
    await client.connect();
    await until(
      'all are connected',
      () => worker.connectedServers.length === 3 && client.connectedServers.length === 3,
    );
    let answered = 0;
    const calls = Array.from({ length: 1_000 }, async (_, id) => {
      const answer = (await work(client, id)).toString();
      answered++;
      return answer;
    });
    await until('all have work', () => answered >= 50 && ran.size === 3);
    await daemons[0]!.kill();
    await ours.stop();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 1_000 }, (_, id) => `${id}`));
  });

  it('a background job that was not acknowledged goes elsewhere', async () => {
    const { daemons, servers } = await fleet(2);
    const client = startClient({ servers, choose: 'failover', ...QUICK });
    await client.connect();
    await connectedToAll(daemons, client);
    // Stopped, it takes the submission and never answers; killed, it never will.
    process.kill(daemons[0]!.pid, 'SIGSTOP');
    const submitted = client.submitBackground({ function: 'nobody', workload: Buffer.from('x') });
    await daemons[0]!.kill();
    expect(await submitted).toMatchObject({ server: servers[1] });
  });

  it('one that hangs without a word is noticed by its heartbeat, and its jobs go elsewhere', async () => {
    const { daemons, servers } = await fleet(2);
    const client = startClient({ servers, choose: 'failover', ...QUICK });
    await client.connect();
    await connectedToAll(daemons, client);
    const lost = new Promise<Error | undefined>((resolve) => client.once('disconnect', (_, reason) => resolve(reason)));
    process.kill(daemons[0]!.pid, 'SIGSTOP');
    expect((await work(client, 1)).toString()).toBe('1');
    expect(await lost).toMatchObject({ cause: { code: 'GEARMAN_TIMEOUT' } });
    process.kill(daemons[0]!.pid, 'SIGCONT');
    await connectedToAll(daemons, client);
  });

  it('jobs wait while none is there, and run when one comes', async () => {
    const { daemons, servers } = await fleet(1);
    const client = startClient({ servers, ...QUICK });
    await client.connect();
    const { port } = daemons[0]!;
    await daemons[0]!.kill();
    await until('it is lost', () => client.connectedServers.length === 0);
    const call = work(client, 7);
    await startGearmand([], port);
    expect((await call).toString()).toBe('7');
  });

  it('coalescing works over a fleet when clients hash', async () => {
    const begin = gate();
    const { daemons, servers, ran } = await fleet(3, begin.opened);
    const clients = Array.from({ length: 4 }, () => startClient({ servers, choose: 'hash', ...QUICK }));
    for (const client of clients) {
      await client.connect();
      await connectedToAll(daemons, client);
    }
    const ids = Array.from({ length: 25 }, (_, id) => `${id}`);
    const jobs = clients.flatMap((client) =>
      ids.map((id) => follow(client, { function: 'work', workload: Buffer.from(id), unique: `unique ${id}` })),
    );
    await Promise.all(jobs.map(({ created }) => created));
    begin.open();
    await Promise.all(jobs.map(({ over }) => over));
    expect(jobs.map(({ heard }) => heard)).toEqual(clients.flatMap(() => ids.map((id) => [`complete ${id}`])));
    expect(ran.length).toBe(25);
    expect(new Set(ran).size).toBe(3);
  });
});

describe('a job server that is not there', () => {
  it('is named in the error, with what to look at', async () => {
    const servers = ['127.0.0.1:1', 'unix:/nowhere/gearman.sock'];
    const client = startClient({ servers, connectTimeout: 1_000 });
    await expect(client.connect()).rejects.toThrow(
      /within 1000 ms.*127\.0\.0\.1:1 \(.*nothing listens there.*ECONNREFUSED.*unix:\/nowhere\/gearman\.sock \(.*no such socket.*ENOENT/,
    );
  });
});
