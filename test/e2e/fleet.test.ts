import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { JobClient } from 'nestjs-gearman';
import { requireBuild } from '../support/built.js';
import { runCommand, startJobServerCommand } from '../support/command.js';
import { atEnd } from '../support/cleanup.js';
import { postgresPrograms, startPostgres } from '../support/databases.js';
import { startListening } from '../support/job-servers.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

requireBuild();

(postgresPrograms() ? describe : describe.skip)('job servers that share a PostgreSQL', () => {
  it('take a job at one and hand it out at another, and take jobs in from elsewhere once', async () => {
    const { port, sql } = await startPostgres();
    const url = `postgresql://gear@127.0.0.1:${port}/queues`;
    const queue = ['-q', 'postgres', '--pg-url', url];
    const [one, two] = [await startJobServerCommand(queue), await startJobServerCommand(queue)];
    const at = (server: { readonly port: number }): string[] => ['--server', `127.0.0.1:${server.port}`];
    const ok = { code: 0 };

    expect(await runCommand(['submit', ...at(one), '--background', 'reverse', 'Hello'])).toMatchObject(ok);
    expect(await sql('SELECT count(*) FROM gearman.job')).toBe('1\n');
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

  it('leave a submission to another one while their database is away', async () => {
    const { port, kill } = await startPostgres();
    const away = { url: `postgresql://gear@127.0.0.1:${port}/queues`, patience: 0 };
    const one = await startListening({ storage: { type: 'postgres', ...away } });
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
    // What it holds cannot be given back: it says so, and the others take it over in time.
    await expect(one.server.stop()).rejects.toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' });
  }, 180_000);
});
