import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { JobClient, JobWorker } from 'nestjs-gearman';
import type { JobServer } from 'nestjs-gearman/job-server';
import { coreOf } from '../../lib/job-server/core-of.js';
import { requireBuild } from '../support/built.js';
import { runCommand, startJobServerCommand } from '../support/command.js';
import { atEnd } from '../support/cleanup.js';
import { startPostgres, UNHURRIED } from '../support/databases.js';
import { freePort } from '../support/free-port.js';
import { startListening } from '../support/job-servers.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

requireBuild();

describeWith('postgres', 'job servers that share a PostgreSQL', () => {
  it('take a job at one and hand it out at another, and take jobs in from elsewhere once', async () => {
    const { port, sql } = await startPostgres();
    const url = `postgresql://gear@127.0.0.1:${port}/queues`;
    const queue = ['-q', 'postgres', '--pg-url', url, '--pg-query-timeout', '60s'];
    const [one, two] = [await startJobServerCommand(queue), await startJobServerCommand(queue)];
    const at = (server: { readonly port: number }): string[] => ['--server', `127.0.0.1:${server.port}`];
    const ok = { code: 0 };

    expect(await runCommand(['submit', ...at(one), '--background', 'reverse', 'Hello'])).toMatchObject(ok);
    expect(await sql('SELECT count(*) FROM gearman.jobs')).toBe('1\n');
    const worked = await runCommand(['work', ...at(two), '--count', '1', '-f', 'reverse', '--', 'rev']);
    expect(worked).toMatchObject(ok);

    const file = join(tempDir(), 'jobs.jsonl');
    const line = { function: 'reverse', priority: 'high', workload: 'again' };
    const waiting = { ...line, state: 'waiting', handle: 'H:elsewhere:1', unique: 'u' };
    const dead = { ...line, state: 'dead', handle: 'H:elsewhere:2', error: 'boom', diedAt: 1_700_000_000_000 };
    writeFileSync(file, `${JSON.stringify(waiting)}\n${JSON.stringify(dead)}\n`);
    const take = ['import', '--from', 'export', file, '--pg-url', url];
    expect((await runCommand(take)).stdout).toContain('2 read: 2 imported, 0 known');
    expect((await runCommand(take)).stdout).toContain('2 read: 0 imported, 2 known');
    expect((await runCommand(['dead', ...at(two)])).stdout).toContain('H:elsewhere:2');
    expect(await runCommand(['work', ...at(one), '--count', '1', '-f', 'reverse', '--', 'rev'])).toMatchObject(ok);
    await two.kill();
    expect(await runCommand(['submit', ...at(one), '--background', 'reverse', 'still'])).toMatchObject(ok);
  }, 180_000);

  it('tell a caller at one what a worker at another does, and answer for each other', async () => {
    const { port } = await startPostgres();
    const start = async (name: string): Promise<JobServer> => {
      const own = await freePort();
      const storage = {
        url: `postgresql://gear@127.0.0.1:${port}/queues`,
        name,
        address: `127.0.0.1:${own}`,
        ...UNHURRIED,
      };
      const policies = { f: { retries: 0, deadLetter: true } };
      const listeners = [{ host: '127.0.0.1', port: own }];
      const options = { listeners, storage: { type: 'postgres' as const, ...storage }, policies, keepResults: 60_000 };
      return (await startListening(options)).server;
    };
    const [one, two] = [await start('one'), await start('two')];
    const [client, worker, caller] = [one, two, one].map((server) => new RawPeer(server.connect())) as [
      RawPeer,
      RawPeer,
      RawPeer,
    ];
    worker.send('CAN_DO f', 'PRE_SLEEP');
    client.send('OPTION_REQ results', 'SUBMIT_JOB_BG f·u·x');
    expect(await client.next()).toBe('OPTION_RES results');
    const handle = (await client.next()).replace('JOB_CREATED ', '');
    const grab = async (): Promise<void> => {
      expect(await worker.next()).toBe('NOOP');
      worker.send('GRAB_JOB');
      expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
    };
    const asked = async (packet: string): Promise<string> => {
      client.send(packet);
      return client.next();
    };
    await grab();
    worker.send(`WORK_STATUS ${handle}·1·4`);
    await until('its progress is known at the other', async () => {
      return (await asked(`GET_STATUS ${handle}`)) === `STATUS_RES ${handle}·1·1·1·4`;
    });
    caller.send('SUBMIT_JOB f·u·x');
    expect(await caller.next()).toBe(`JOB_CREATED ${handle}`);
    await until('it is followed', () => coreOf(two).engine.find(handle)!.clients?.length === 1);
    worker.send(`WORK_DATA ${handle}·part`, `WORK_FAIL ${handle}`, 'PRE_SLEEP');
    const heard = [`WORK_STATUS ${handle}·1·4`, `WORK_DATA ${handle}·part`, `WORK_FAIL ${handle}`];
    expect(await caller.nextOnes(3)).toEqual(heard);

    // It is dead now, for every job server, and may be replayed at any.
    await until('it is dead', async () => (await asked(`GET_STATUS ${handle}`)) === `WORK_FAIL ${handle}`);
    expect(await client.next()).toBe(`STATUS_RES ${handle}·0·0·0·0`);
    const admin = new RawPeer(one.connect());
    admin.sendText('show dead jobs\n');
    expect((await admin.list()).join('\n')).toContain(handle);
    admin.sendText(`replay job ${handle}\n`);
    expect(await admin.next()).toBe('OK\r\n');
    await grab();
    worker.send(`WORK_COMPLETE ${handle}·done`);
    await until('its result is known at the other', async () => {
      return (await asked(`GET_STATUS ${handle}`)) === `WORK_COMPLETE ${handle}·done`;
    });
  }, 180_000);

  it('leave a submission to another one while their database is away', async () => {
    const { port, kill } = await startPostgres();
    const away = { url: `postgresql://gear@127.0.0.1:${port}/queues`, patience: 0 };
    const lines: string[] = [];
    const one = await startListening({ storage: { type: 'postgres', ...away }, log: (_, line) => lines.push(line) });
    const two = await startListening({ storage: { type: 'memory' } });
    const client = new JobClient({ servers: [`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`] });
    atEnd(() => client.close());
    await client.connect();
    await until('both are connected', () => client.connectedServers.length === 2);
    const job = { function: 'reverse', workload: Buffer.from('1') };
    expect(await client.submitBackground(job)).toMatchObject({ server: `127.0.0.1:${one.port}` });
    await kill();
    expect(await client.submitBackground(job)).toMatchObject({ server: `127.0.0.1:${two.port}` });
    await two.server.stop();
    await until('the second is lost', () => client.connectedServers.length === 1);
    await expect(client.submitBackground(job)).rejects.toMatchObject({ serverCode: 'QUEUE_ERROR' });
    // What it holds cannot be given back: its log says so, and the others take it over in time.
    await one.server.stop();
    expect(lines.at(-1)).toMatch(/^storage: up to \d+ ends of jobs could not be written and what is leased/);
  }, 180_000);

  it('fire every tick of their schedules once, while one after the other is stopped', async () => {
    const { port } = await startPostgres();
    const crontab = join(tempDir(), 'crontab');
    const settings = 'overlap=queue&missed=all';
    writeFileSync(crontab, ['a', 'b', 'c'].map((id) => `* * * * * * tick ?id=${id}&${settings}\n`).join(''));
    const queue = ['-q', 'postgres', '--pg-url', `postgresql://gear@127.0.0.1:${port}/queues`];
    const fleet = [];
    for (let count = 0; count < 3; count++) fleet.push(await startJobServerCommand([...queue, '--crontab', crontab]));
    const ran = new Map<string, Set<string>>();
    const worker = new JobWorker({ servers: fleet.map((server) => `127.0.0.1:${server.port}`) });
    atEnd(() => worker.close());
    worker.on('error', () => undefined);
    worker.register('tick', ({ unique, handle }) => {
      ran.set(unique, (ran.get(unique) ?? new Set()).add(handle));
    });
    await worker.start();
    const ticksOf = (id: string): number[] => {
      const ticks = [...ran.keys()].filter((unique) => unique.startsWith(`${id}@`));
      return ticks.map((unique) => Number(unique.split('@')[1])).sort((one, other) => one - other);
    };
    const passes = async (ticks: number): Promise<void> => {
      const seen = ran.size;
      await until(`${ticks} more ticks`, () => ran.size >= seen + ticks);
    };
    await passes(3);
    for (const { pid } of fleet) {
      process.kill(pid, 'SIGSTOP');
      try {
        await passes(9);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    }
    const end = Math.floor(Date.now() / 1_000);
    await until('all until now has run', () => ['a', 'b', 'c'].every((id) => ticksOf(id).at(-1)! >= end));
    await until('none is missing', () =>
      ['a', 'b', 'c'].every((id) => {
        const ticks = ticksOf(id).filter((tick) => tick <= end);
        return ticks.length === end - ticks[0]! + 1;
      }),
    );
    expect([...ran].filter(([, handles]) => handles.size > 1)).toEqual([]);
  }, 180_000);
});
