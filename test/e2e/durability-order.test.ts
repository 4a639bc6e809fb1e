import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Daemon } from '../support/daemon.js';
import { COMMAND } from '../support/command.js';
import { accepts, freePort } from '../support/free-port.js';
import { mustAccept, startDurableJobServer } from '../support/durable-job-server.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { attachStrace, startTraced, type SystemCall } from '../support/strace.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const CALLS = 'trace=pwrite64,pwritev,write,writev,fdatasync';
/** So long each fdatasync takes, in microseconds: an answer that does not wait for it is out long before. */
const SLOWLY = ['-e', CALLS, '-e', 'inject=fdatasync:delay_enter=50000'];

const isOnFile = ({ text }: SystemCall): boolean => /^\w+\(\d+<[^>]*\.log>/.test(text);
const isOnSocket = ({ text }: SystemCall): boolean => /^\w+\(\d+<TCP:/.test(text);
/** What was wrong with the order in which a job came to the disk and its JOB_CREATED to its client. */
function disorder(calls: readonly SystemCall[], workload: string, handle: string): string | undefined {
  const packet = new RegExp(`${handle}(?!\\d)`);
  const answered = calls.find((call) => isOnSocket(call) && packet.test(call.text));
  if (!answered) return `${handle} was not seen on a socket`;
  const written = calls.find((call) => isOnFile(call) && call.text.includes(workload));
  const synced = written && calls.find((call) => call.name === 'fdatasync' && isOnFile(call) && call.from > written.to);
  const isDurable = synced !== undefined && synced.to < answered.from;
  return isDurable ? undefined : `JOB_CREATED ${handle} left before ${workload} was on disk`;
}

async function withClient(args: readonly string[] = []): Promise<{ server: Daemon; client: RawPeer }> {
  const server = await startDurableJobServer(join(tempDir(), 'jobs'), args);
  const client = await RawPeer.connect(server);
  await client.untilEcho();
  return { server, client };
}

describeWith('strace', 'JOB_CREATED of a background job, as the kernel sees it,', () => {
  it('leaves only when the job was written, and fdatasync has returned', async () => {
    const { server, client } = await withClient();
    const strace = await attachStrace(server.pid, SLOWLY);
    const jobs: [workload: string, handle: string][] = [];
    for (const [index, type] of ['SUBMIT_JOB_BG', 'SUBMIT_JOB_HIGH_BG', 'SUBMIT_JOB_LOW_BG'].entries()) {
      jobs.push([`alone ${index}.`, await mustAccept(client, `${type} f··alone ${index}.`)]);
    }
    const large = `large.${'x'.repeat(70_000)}`;
    jobs.push(['large.', await mustAccept(client, `SUBMIT_JOB_BG f··${large}`)]);
    jobs.push(['later.', await mustAccept(client, 'SUBMIT_JOB_EPOCH f·unique·4000000000·later.')]);
    jobs.push(['reduced.', await mustAccept(client, 'SUBMIT_REDUCE_JOB_BACKGROUND f··reducer·reduced.')]);
    const crowd = Array.from({ length: 100 }, (_, index) => `crowd ${index}.`);
    client.send(...crowd.map((workload) => `SUBMIT_JOB_BG f··${workload}`));
    const answers = await client.nextOnes(crowd.length);
    jobs.push(...answers.map((answer, index): [string, string] => [crowd[index]!, answer.split(' ')[1]!]));
    const calls = await strace.detach();
    expect(jobs.map(([workload, handle]) => disorder(calls, workload, handle)).filter(Boolean)).toEqual([]);
  });

  it('can rely on the file being there: the folders made for it are synced before anything is accepted', async () => {
    const folder = tempDir();
    const port = await freePort();
    const args = ['job-server', '-p', `${port}`, '-L', '127.0.0.1', '-q', 'file', '--queue-path', join(folder, 'a/b')];
    const { program, calls } = startTraced([process.execPath, COMMAND, ...args], ['-e', 'trace=fsync,listen']);
    await until('it listens', () => {
      program.mustRun();
      return accepts(port);
    });
    const admin = await RawPeer.connect({ port });
    admin.sendText('getpid\n');
    process.kill(Number((await admin.next()).split(' ')[1]), 'SIGTERM');
    await program.ended;
    const done = calls().map(({ name, text }) => `${name} ${/<(.*?)>/.exec(text)?.[1]?.replace(folder, '')}`);
    expect(done.slice(0, 3)).toEqual(['fsync /a/b', 'fsync /a', 'fsync ']);
    expect(done[3]).toMatch(/^listen TCP/);
  });

  it('costs one fdatasync for all submissions that came together', async () => {
    const { server, client } = await withClient();
    const strace = await attachStrace(server.pid, SLOWLY);
    const count = 2_000;
    client.send(...Array.from({ length: count }, (_, index) => `SUBMIT_JOB_BG f··${index}`));
    const answers = await client.nextOnes(count);
    expect(answers.filter((answer) => !answer.startsWith('JOB_CREATED'))).toEqual([]);
    const syncs = (await strace.detach()).filter(({ name }) => name === 'fdatasync');
    expect(syncs.length).toBeGreaterThan(0);
    expect(syncs.length).toBeLessThanOrEqual(count / 100);
  });

  it('comes without any write of the job when that has ended before its write began', async () => {
    const { server, client } = await withClient();
    const worker = await RawPeer.connect(server);
    worker.send('CAN_DO f', 'ALL_YOURS', 'GRAB_JOB', 'GRAB_JOB');
    await worker.untilEcho();
    const strace = await attachStrace(server.pid, ['-e', CALLS, '-e', 'inject=fdatasync:delay_enter=500000']);
    client.send('SUBMIT_JOB_BG f··it is being written.');
    expect(await worker.next()).toContain('it is being written.');
    client.send('SUBMIT_JOB_BG f··it never will be.');
    const [, handle] = /^JOB_ASSIGN ([^·]+)·f·it never will be\.$/.exec(await worker.next())!;
    worker.send(`WORK_COMPLETE ${handle}·done`);
    const answers = await client.nextOnes(2);
    expect(answers[1]).toBe(`JOB_CREATED ${handle}`);
    const written = (await strace.detach())
      .filter(isOnFile)
      .map(({ text }) => text)
      .join('\n');
    expect(written).toContain('it is being written.');
    expect(written).not.toContain('it never will be.');
  });

  it("comes before the disk with durability 'interval', which follows by itself", async () => {
    const { server, client } = await withClient(['--queue-durability', 'interval']);
    const strace = await attachStrace(server.pid, ['-e', CALLS]);
    const handle = await mustAccept(client, 'SUBMIT_JOB_BG f··soon.');
    await until('it is written and synced', () => {
      const calls = strace.calls();
      const written = calls.find((call) => isOnFile(call) && call.text.includes('soon.'));
      return written && calls.some((call) => call.name === 'fdatasync' && call.from > written.to);
    });
    const calls = await strace.detach();
    expect(disorder(calls, 'soon.', handle)).toBe(`JOB_CREATED ${handle} left before soon. was on disk`);
  });

  it("waits for no disk with durability 'none', nor does anything else", async () => {
    const { server, client } = await withClient(['--queue-durability', 'none']);
    const strace = await attachStrace(server.pid, ['-e', CALLS]);
    await mustAccept(client, 'SUBMIT_JOB_BG f··some day.');
    await server.stop();
    const calls = await strace.detach();
    expect(calls.some((call) => isOnFile(call) && call.text.includes('some day.'))).toBe(true);
    expect(calls.filter(({ name }) => name === 'fdatasync')).toEqual([]);
  });
});
