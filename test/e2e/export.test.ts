import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { PgStorage } from '../../lib/job-server/storage/index.js';
import { add, newJob } from '../storage/recorded-storage.js';
import { requireBuild } from '../support/built.js';
import { runCommand, startJobServerCommand } from '../support/command.js';
import type { Daemon } from '../support/daemon.js';
import { startPostgres, UNHURRIED } from '../support/databases.js';
import { newWorker, startClient } from '../support/driver-jobs.js';
import { describeWith } from '../support/peers.js';
import { contentOf, deadLettersIn, jobsIn, withStorage } from '../support/stored-jobs.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

requireBuild();

const newFolder = (): string => join(tempDir(), 'jobs');

/** Lines of an export, read as JSON. */
function linesOf(text: string): Record<string, unknown>[] {
  expect(text).toMatch(/\n$/);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A job server under load: clients submit background jobs and a worker ends them, as fast as they can. */
class Load {
  /** Handles of jobs that were acknowledged, and of those that may have ended. */
  readonly acknowledged: string[] = [];
  readonly ended = new Set<string>();
  private isOver = false;
  private readonly flows: Promise<void>[] = [];

  constructor(private readonly server: Daemon) {}

  async start(): Promise<void> {
    const servers = `127.0.0.1:${this.server.port}`;
    const client = startClient({ servers });
    const submitOn = async (function_: string): Promise<void> => {
      while (!this.isOver) {
        const workload = Buffer.alloc(200, 'x');
        this.acknowledged.push((await client.submitBackground({ function: function_, workload })).handle);
      }
    };
    const worker = newWorker({ servers });
    worker.register('done', async ({ handle }) => {
      this.ended.add(handle);
      await turn();
    });
    await worker.start();
    for (let flow = 0; flow < 20; flow++) this.flows.push(submitOn(flow % 2 === 0 ? 'done' : 'kept'));
    await until(
      'some jobs are there and some are over',
      () => this.acknowledged.length > 3_000 && this.ended.size > 500,
    );
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.flows);
  }
}

async function startStored(folder: string): Promise<Daemon> {
  return startJobServerCommand(['-q', 'file', '--queue-path', folder]);
}

describe('nestjs-gearman export and backup, beside a job server under load', () => {
  it('have every job that was acknowledged before they began and has not ended, and none twice', async () => {
    const folder = newFolder();
    const server = await startStored(folder);
    const load = new Load(server);
    await load.start();
    for (let round = 0; round < 3; round++) {
      const before = [...load.acknowledged];
      const { code, stdout } = await runCommand(['export', '--queue-path', folder]);
      const copy = newFolder();
      const backup = await runCommand(['backup', '--queue-path', folder, '--to', copy]);
      const owed = before.filter((handle) => !load.ended.has(handle));
      expect([code, backup]).toEqual([0, { code: 0, stderr: '', stdout: `copied to ${copy}\n` }]);
      expect(owed.length).toBeGreaterThan(1_000);
      for (const handles of [linesOf(stdout), await jobsIn(copy)].map((jobs) => jobs.map(({ handle }) => handle))) {
        const all = new Set(handles);
        expect(all.size).toBe(handles.length);
        expect(owed.filter((handle) => !all.has(handle))).toEqual([]);
      }
    }
    const seen = load.acknowledged.length;
    await until('the job server goes on', () => load.acknowledged.length > seen);
    await load.stop();
    expect(await server.stop()).toBe(0);
  }, 180_000);

  it('makes a copy that a job server starts on while the first one runs', async () => {
    const folder = newFolder();
    const server = await startStored(folder);
    const client = startClient({ servers: `127.0.0.1:${server.port}` });
    const { handle } = await client.submitBackground({ function: 'f', workload: Buffer.from('x') });
    const copy = newFolder();
    expect(await runCommand(['backup', '--queue-path', folder, '--to', copy])).toMatchObject({ code: 0 });
    const modes = readdirSync(copy).map((name) => statSync(join(copy, name)).mode & 0o777);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    const other = await startStored(copy);
    const ran: string[] = [];
    const worker = newWorker({ servers: `127.0.0.1:${other.port}` });
    worker.register('f', (job) => void ran.push(job.handle));
    await worker.start();
    await until('it gives out the job', () => ran.length > 0);
    expect(ran).toEqual([handle]);
    const again = await runCommand(['backup', '--queue-path', folder, '--to', copy]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining(`${copy} is not empty`) });
    await client.close();
    expect([await server.stop(), await other.stop()]).toEqual([0, 0]);
  });
});

const LINES = [
  '{"state":"waiting","handle":"H:2","function":"f","unique":{"base64":"/w=="},"priority":"high","acceptedAt":1690000000000,"losses":2,"workload":{"base64":"AP8="}}',
  '{"state":"waiting","handle":"H:1","function":"f","priority":"normal","acceptedAt":1690000000000,"workload":"grüße"}',
  '{"state":"delayed","handle":"H:3","function":"f","priority":"normal","reducer":"sum","at":4000000000000,"acceptedAt":1690000000000,"attempts":1,"workload":""}',
  '{"state":"dead","handle":"H:4","function":"f","unique":"u","priority":"normal","acceptedAt":1690000000000,"error":"no such file","diedAt":1700000000000,"workload":"{\\"a\\":1}"}',
];

describe('nestjs-gearman export', () => {
  /** A folder with a job of every kind. */
  async function filledFolder(): Promise<string> {
    const folder = newFolder();
    const job = newJob({ function: 'f', workload: '', acceptedAt: 1_690_000_000_000 });
    await withStorage(folder, async (storage) => {
      const jobs = [
        { ...job, handle: 'H:1', workload: 'gr\xc3\xbc\xc3\x9fe' },
        { ...job, handle: 'H:2', priority: 0, unique: '\xff', workload: Buffer.from([0, 255]), losses: 2 },
        { ...job, handle: 'H:3', at: 4_000_000_000_000, attempts: 1, reducer: 'sum' },
        { ...job, handle: 'H:4', unique: 'u', workload: '{"a":1}' },
      ] as const;
      await Promise.all(jobs.map((one) => add(storage, one, false).stored));
      await storage.leaseOne('H:4');
      storage.bury('H:4', 'no such file', 1_700_000_000_000);
    });
    return folder;
  }

  it('writes a line of JSON for each job that waits, is delayed or dead', async () => {
    const folder = await filledFolder();
    const { code, stdout, stderr } = await runCommand(['export', '--queue-path', folder]);
    expect(stdout.trimEnd().split('\n')).toEqual(LINES);
    expect([code, stderr]).toEqual([0, 'nestjs-gearman: exported 3 jobs and 1 dead letters\n']);
  });

  it('writes what import reads back, each job once', async () => {
    const [folder, other, file] = [await filledFolder(), newFolder(), join(tempDir(), 'jobs.jsonl')];
    expect(await runCommand(['export', '--queue-path', folder, '--to', file])).toMatchObject({ code: 0, stdout: '' });
    expect(existsSync(`${file}.partial`)).toBe(false);
    const moveIn = () => runCommand(['import', '--from', 'export', file, '--queue-path', other]);
    expect(await moveIn()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^4 read: 4 imported, 0 known/) });
    expect(await moveIn()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^4 read: 0 imported, 4 known/) });
    expect((await jobsIn(other)).map(contentOf)).toEqual((await jobsIn(folder)).map(contentOf));
    const letters = await deadLettersIn(other);
    expect(letters).toMatchObject([
      { job: { handle: 'H:4', unique: 'u' }, error: 'no such file', diedAt: 1_700_000_000_000 },
    ]);
    const again = await runCommand(['export', '--queue-path', other]);
    expect(again.stdout.trimEnd().split('\n')).toEqual(LINES);
  });

  it('is read up to where it was cut off, and the import fails', async () => {
    const [folder, file] = [newFolder(), join(tempDir(), 'cut.jsonl')];
    writeFileSync(file, `${LINES[0]}\n${LINES[1]!.slice(0, 40)}`);
    expect(await runCommand(['import', '--from', 'export', file, '--queue-path', folder])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^2 read: 1 imported, .* 1 left out\n$/),
      stderr: expect.stringContaining(`${file}, line 2: it is not a JSON object; was the file cut off?`),
    });
  });

  it('says what to name where there are no jobs', async () => {
    const { code, stderr } = await runCommand(['export', '--queue-path', tempDir()]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('holds no jobs: name the folder')]);
  });
});

describeWith(['postgres'], 'nestjs-gearman export of a fleet', () => {
  it('writes what import reads back, each job once and in its order, into a folder and into a fleet', async () => {
    const { port, kill } = await startPostgres();
    const url = `postgresql://gear@127.0.0.1:${port}/queues`;
    const storage = new PgStorage({ url, ...UNHURRIED });
    await storage.open({ ready: () => undefined, trouble: () => undefined, setAside: () => undefined });
    const job = newJob({ function: 'f', workload: '', acceptedAt: 1_690_000_000_000 });
    const jobs = [
      ...Array.from({ length: 250 }, (_, number) => ({ ...job, handle: `H:many:${number}`, workload: `${number}` })),
      { ...job, handle: 'H:2', priority: 0 as const, unique: '\xff', workload: Buffer.from([0, 255]), losses: 2 },
      { ...job, handle: 'H:3', at: 4_000_000_000_000, attempts: 1, reducer: 'sum' },
      { ...job, handle: 'H:4', unique: 'u', workload: '{"a":1}' },
    ];
    await Promise.all(jobs.map((one) => add(storage, one, false).stored));
    // One that runs is written as it waited.
    expect(await storage.leaseOne('H:many:7')).toBeDefined();
    await storage.leaseOne('H:4');
    storage.bury('H:4', 'no such file', 1_700_000_000_000);
    await storage.flush();

    const [file, folder] = [join(tempDir(), 'jobs.jsonl'), newFolder()];
    const said = 'nestjs-gearman: exported 252 jobs and 1 dead letters\n';
    const written = await runCommand(['export', '--pg-url', url, '--to', file]);
    expect(written).toEqual({ code: 0, stdout: '', stderr: said });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const waiting = (number: number): string =>
      `{"state":"waiting","handle":"H:many:${number}","function":"f","priority":"normal","acceptedAt":1690000000000,"workload":"${number}"}`;
    expect(lines).toEqual([
      LINES[0],
      ...Array.from({ length: 250 }, (_, number) => waiting(number)),
      LINES[2],
      LINES[3],
    ]);
    for (const target of [
      ['--queue-path', folder],
      ['--pg-url', url, '--pg-schema', 'other'],
    ]) {
      const moveIn = (): ReturnType<typeof runCommand> => runCommand(['import', '--from', 'export', file, ...target]);
      expect(await moveIn()).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^253 read: 253 imported, 0 known/),
      });
      expect(await moveIn()).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^253 read: 0 imported, 253 known/),
      });
      const again = await runCommand(['export', ...target]);
      expect(again.stdout.trimEnd().split('\n')).toEqual(lines);
    }
    await storage.close();

    const missing = await runCommand(['export', '--pg-url', url, '--pg-schema', 'none']);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/the schema none of .* holds no jobs/) });
    expect(await runCommand(['export', '--pg-url', url, '--queue-path', folder])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('choose one'),
    });
    await kill();
  }, 180_000);
});
