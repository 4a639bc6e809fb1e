import { beforeEach, expect, it } from '@jest/globals';
import { startGearmand } from '../../support/gearmand.js';
import { startListening } from '../../support/job-servers.js';
import { describeWith } from '../../support/peers.js';
import { RawPeer } from '../../support/raw-peer.js';
import { pipeThrough } from '../../support/processes.js';

describeWith('gearadmin', 'gearadmin with our job server', () => {
  let port: number;
  let client: RawPeer;
  let worker: RawPeer;
  let handle: string;

  beforeEach(async () => {
    ({ port } = await startListening());
    client = await RawPeer.connect({ port });
    client.send('SUBMIT_JOB_HIGH reverse·u1·x');
    handle = (await client.next()).replace('JOB_CREATED ', '');
    client.send('SUBMIT_JOB_BG reverse·u2·x');
    await client.next();
    worker = await RawPeer.connect({ port });
    worker.send('SET_CLIENT_ID me', 'CAN_DO reverse', 'CAN_DO wc');
    await worker.untilEcho();
  });

  const gearadmin = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await pipeThrough('gearadmin', ['--host=127.0.0.1', `--port=${port}`, ...args]);
    expect(code).toBe(0);
    return stdout.toString();
  };

  it('shows functions', async () => {
    expect(await gearadmin('--status')).toBe('reverse\t2\t0\t1\nwc\t0\t0\t1\n.\n');
    expect(await gearadmin('--priority-status')).toBe('reverse\t1\t1\t0\t1\nwc\t0\t0\t0\t1\n.\n');
  });

  it('shows workers', async () => {
    expect(await gearadmin('--workers')).toMatch(/^\d+ 127\.0\.0\.1 me : reverse wc$/m);
  });

  it('shows jobs', async () => {
    const [first, second, ...end] = (await gearadmin('--show-jobs')).split('\n');
    expect([first, end]).toEqual([`${handle}\t0\t0\t0`, ['.', '']]);
    expect(second).toMatch(/^H:.*\t0\t0\t1$/);
    expect(await gearadmin('--show-unique-jobs')).toBe('u1\nu2\n.\n');
  });

  it('cancels a job', async () => {
    await gearadmin(`--cancel-job=${handle}`);
    expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
    expect(await gearadmin('--status')).toContain('reverse\t1\t0\t1\n');
  });

  it('creates and drops functions', async () => {
    await gearadmin('--create-function=new');
    expect(await gearadmin('--status')).toContain('new\t0\t0\t0\n');
    await gearadmin('--drop-function=new');
    expect(await gearadmin('--status')).not.toContain('new');
  });

  it('asks for version, process and log level', async () => {
    expect(await gearadmin('--server-version')).toMatch(/^\d+\.\d+\.\d+/);
    expect(await gearadmin('--getpid')).toBe(`${process.pid}\n`);
    expect(await gearadmin('--server-verbose')).toBe('INFO\n');
  });
});

describeWith(['gearadmin', 'gearmand'], 'gearadmin', () => {
  it.each(['--server-version', '--server-verbose', '--create-function=f', '--drop-function=f', '--cancel-job=x'])(
    'says the same of our job server as of gearmand: %s',
    async (option) => {
      const [{ port: ours }, { port: theirs }] = await Promise.all([startListening(), startGearmand()]);
      const ask = async (port: number) => {
        const { code, stdout, stderr } = await pipeThrough('gearadmin', ['--host=127.0.0.1', `--port=${port}`, option]);
        const neutral = (text: string) => text.replace(/[\d.]+(\+ds)?|ERROR|INFO/g, '');
        return { code, stdout: neutral(stdout.toString()), stderr: neutral(stderr) };
      };
      expect(await ask(ours)).toEqual(await ask(theirs));
    },
  );
});
