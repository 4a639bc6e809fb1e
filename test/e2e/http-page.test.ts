import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { JobWorker, type JobHandler } from '../../lib/driver/index.js';
import { atEnd } from '../support/cleanup.js';
import { startJobServerCommand } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { ROOT } from '../support/built.js';

/** The lines of docs/http.md that begin with curl, and the status that a comment below one says. */
const EXAMPLES = [...readFileSync(join(ROOT, 'docs/http.md'), 'utf8').matchAll(/^(curl .*)\n(?:# (\d{3})\b)?/gm)].map(
  ([, line, status]) => [line!, status] as const,
);

describe('docs/http.md', () => {
  const folder = tempDir();
  let url: string;
  let gearman: string;

  beforeAll(async () => {
    const port = await freePort();
    const storage = ['-q', 'file', '--queue-path', join(folder, 'jobs'), '--keep-results', '1h'];
    const server = await startJobServerCommand(['--web-port', `${port}`, ...storage]);
    atEnd(() => server.stop().then(() => undefined));
    [url, gearman] = [`http://127.0.0.1:${port}`, `127.0.0.1:${server.port}`];
    await work('reverse', ({ workload }) => Buffer.from(workload).reverse());
    await writeFile(join(folder, 'photo.jpg'), 'a photo');
    await until('it answers HTTP', () => fetch(`${url}/v1/me`).then(Boolean, () => false));
  });

  /** A job as the first example makes it. */
  async function submit(): Promise<string> {
    const response = await fetch(`${url}/v1/functions/thumbnail/jobs`, { method: 'POST', body: 'a photo' });
    return ((await response.json()) as { handle: string }).handle;
  }

  async function work(name: string, handler: JobHandler): Promise<JobWorker> {
    const worker = new JobWorker({ servers: gearman });
    atEnd(() => worker.close());
    worker.register(name, handler);
    await worker.start();
    return worker;
  }

  it('has examples', () => expect(EXAMPLES.length).toBeGreaterThan(5));

  it.each(EXAMPLES)('shows what works: %s', async (example, status = '20[0-4]') => {
    const line = example.replace('http://127.0.0.1:4780', url).replace('H:box:1', await submit());
    const curl = spawn('sh', ['-c', `exec ${line} -sS -w '\\n%{http_code}'`], { cwd: folder });
    let output = '';
    curl.stdout.on('data', (text: Buffer) => (output += text.toString()));
    const over = once(curl, 'close');
    // What never ends by itself is read as far as this, and what is waited for, or watched, ends when it is done.
    if (line.includes('/v1/events')) {
      await until('it tells functions', () => output.includes('event: functions'));
      curl.kill();
      return;
    }
    if (line.includes('/events')) await until('it watches', () => output.includes('event: job'));
    const worker = /\/(events|result)/.test(line) ? await work('thumbnail', () => 'done') : undefined;
    expect([await over, output]).toEqual([[0, null], expect.stringMatching(new RegExp(`\\n${status}$`))]);
    await worker?.close();
  });
});
