import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { runCommand, startJobServerCommand } from '../support/command.js';
import type { Daemon } from '../support/daemon.js';
import { FOREIGN_WORKERS, startWorker } from '../support/foreign-programs.js';
import { freePort } from '../support/free-port.js';
import { describeWith } from '../support/peers.js';
import { requestText, sayHttp } from '../support/raw-http.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const curl = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('curl', ['-sS', ...args], { encoding: 'latin1' })).stdout;

/** 64 MiB. */
const WORKLOAD = 67_108_864;

/** Starts a job server with these options, and waits until it answers HTTP. */
async function startWebPort(...args: string[]): Promise<{ server: Daemon; port: number }> {
  const port = await freePort();
  const server = await startJobServerCommand(['--web-port', `${port}`, ...args]);
  // It listens for Gearman first.
  await until('it answers HTTP', () => curl(`http://127.0.0.1:${port}/`).then(Boolean, () => false));
  return { server, port };
}

describeWith('php', 'a worker in PHP behind --web-port', () => {
  it('answers curl with 64 MiB that it has turned round', async () => {
    // A packet has more than the workload: by default it may have 64 MiB in all.
    const { server, port } = await startWebPort('--max-packet-bytes', `${WORKLOAD + 1_024}`);
    await startWorker(
      FOREIGN_WORKERS.find(({ peer }) => peer === 'php')!,
      server.port,
    );
    const folder = tempDir();
    const workload = randomBytes(WORKLOAD);
    await writeFile(join(folder, 'workload'), workload);
    const url = `http://127.0.0.1:${port}/v1/functions/reverse/run`;
    const status = await curl(
      '-o',
      join(folder, 'result'),
      '-w',
      '%{http_code}',
      '--data-binary',
      `@${folder}/workload`,
      url,
    );
    expect(status).toBe('200');
    const result = await readFile(join(folder, 'result'));
    expect(result.equals(workload.reverse())).toBe(true);
    expect(
      await curl('--data-binary', 'x', '-w', '%{http_code}', `http://127.0.0.1:${port}/v1/functions/throwing/run`),
    ).toMatch(/"code":"job-failed".*422$/);
    expect(await server.stop()).toBe(0);
  }, 180_000);
});

describe('nestjs-gearman job-server --web-port', () => {
  it.each([
    ['bytes that are no ASCII in an address', 'GET /v1/functions/\xc3\xa9', {}, 400, 'unreadable'],
    ['headers of 20 kB', 'GET /v1/me', { Cookie: 'x'.repeat(20_000) }, 431, 'headers-too-large'],
  ])('calls %s a problem, as all others', async (_what, line, headers, status, code) => {
    const { port } = await startWebPort();
    const [head, body] = (await sayHttp(port, requestText(line, headers))).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\nContent-Type: application/problem\\+json`, 's'));
    expect(JSON.parse(body!)).toMatchObject({ type: 'about:blank', status, code, detail: expect.any(String) });
  });

  it('takes 64 MB from curl and gives them back as they were', async () => {
    const { server, port } = await startWebPort();
    const folder = tempDir();
    const workload = randomBytes(64_000_000);
    await writeFile(join(folder, 'workload'), workload);
    const url = `http://127.0.0.1:${port}/v1/functions/f/jobs`;
    const { handle } = JSON.parse(await curl('--data-binary', `@${folder}/workload`, url)) as { handle: string };
    await curl('-o', join(folder, 'again'), `http://127.0.0.1:${port}/v1/jobs/${handle}/workload`);
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(digest(await readFile(join(folder, 'again')))).toBe(digest(workload));
    expect(await server.stop()).toBe(0);
  });

  it('has on disk what it answered with 202, though it is killed at once', async () => {
    const folder = tempDir();
    const storage = ['-q', 'file', '--queue-path', join(folder, 'jobs')];
    const first = await startWebPort(...storage);
    const url = `http://127.0.0.1:${first.port}/v1`;
    const batch = JSON.stringify({
      jobs: [
        { function: 'f', text: 'one' },
        { function: 'f', text: 'two' },
      ],
    });
    const run = curl('--data-binary', 'nobody waits', `${url}/functions/g/run`).catch(() => 'gone');
    const [one, many] = await Promise.all([
      curl('--data-binary', 'a workload', `${url}/functions/f/jobs?unique=u`),
      curl('--data-binary', batch, `${url}/jobs`),
    ]);
    await first.server.kill();
    expect(await run).toBe('gone');
    const { server, port } = await startWebPort(...storage);
    const jobs = [JSON.parse(one), ...JSON.parse(many).jobs] as { handle: string }[];
    const workloads = jobs.map(({ handle }) => curl(`http://127.0.0.1:${port}/v1/jobs/${handle}/workload`));
    expect(await Promise.all(workloads)).toEqual(['a workload', 'one', 'two']);
    // Who waited in the foreground knows that nobody has it any more.
    expect(await curl(`http://127.0.0.1:${port}/v1/jobs?q=function:g`)).toContain('"jobs":[]');
    expect(await server.stop()).toBe(0);
  });

  it('lets those do something who have a token, and reads the file again at SIGHUP', async () => {
    const tokens = join(tempDir(), 'tokens');
    const made = await runCommand(['web-token', 'ann', '--role', 'operate']);
    await writeFile(tokens, made.stdout);
    const { server, port } = await startWebPort('--web-listen', '0.0.0.0', '--web-tokens', tokens);
    const statusOf = (token: string): Promise<string> => {
      const url = `http://127.0.0.1:${port}/v1/functions/f/pause`;
      return curl('-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST', '-H', `Authorization: Bearer ${token}`, url);
    };
    expect([await statusOf(made.stderr.trim()), await statusOf('other')]).toEqual(['204', '401']);
    const later = await runCommand(['web-token', 'bob', '--role', 'operate', '--function', 'g*']);
    await appendFile(tokens, later.stdout);
    process.kill(server.pid, 'SIGHUP');
    await until('the new token is known', async () => (await statusOf(later.stderr.trim())) === '403');
    expect(await server.stop()).toBe(0);
  });

  it.each([
    [['--web-port', '0', '--web-listen', '0.0.0.0'], /--web-listen 0\.0\.0\.0 needs --web-tokens FILE/],
    [['--web-tokens', 'x'], /--web-tokens needs --web-port PORT/],
    [['--web-read-only'], /--web-read-only needs --web-port PORT/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runCommand(['job-server', '-p', '0', ...args]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  it('does not start without its tokens', async () => {
    const { code, stderr } = await runCommand(['job-server', '-p', '0', '--web-port', '0', '--web-tokens', '/none']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('/none')]);
  });

  it('ends while somebody waits for a result', async () => {
    const { server, port } = await startWebPort();
    const url = `http://127.0.0.1:${port}/v1/functions/f/run`;
    const waiting = Array.from({ length: 12 }, () => curl('-w', '%{http_code}', '--data-binary', 'x', url));
    await until('all wait', async () => {
      return (await curl(`http://127.0.0.1:${port}/v1/jobs`)).match(/"state":"waiting"/g)?.length === 12;
    });
    expect(await server.stop()).toBe(0);
    for (const waits of waiting) expect(await waits).toMatch(/"code":"closed".*503$/s);
    // As of listeners that are too many.
    expect(server.output()).not.toContain('Warning');
  });
});
