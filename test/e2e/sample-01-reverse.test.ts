import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { AppModule } from '../../sample/01-reverse/app.module.js';
import { ReverseService } from '../../sample/01-reverse/reverse.service.js';
import { accepts, freePort } from '../support/free-port.js';
import { describeWith } from '../support/peers.js';
import { run } from '../support/run.js';
import { startSample } from '../support/sample.js';
import { serveSample } from '../support/sample-app.js';

const SAMPLE = '01-reverse';

it('sample 01 reverses in its own tests, without a port', async () => {
  const { app, jobServer } = await serveSample({ imports: [AppModule.onPort(0)] }, { format: 'text' });
  expect(await app.get(ReverseService).reverse('Grüße')).toBe('eßürG');
  expect(jobServer.addresses).toEqual([]);
});

describe('npm start', () => {
  it('runs this sample', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
    expect(scripts.start).toMatch(/ && node sample\/01-reverse\/dist\/main\.js$/);
  });

  it('prints the result and ends, with --once', async () => {
    const sample = startSample(SAMPLE, {}, '--once');
    expect(await sample.ended).toBe(0);
    expect(sample.output()).toBe('!dlrow olleH\n');
  });

  it('needs no port with --once', async () => {
    const port = await freePort();
    const first = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
    await first.says(/Ctrl-C ends it/);
    const second = startSample(SAMPLE, { GEARMAN_PORT: `${port}` }, '--once');
    expect(await second.ended).toBe(0);
    await first.end('SIGINT');
  });

  it('stays up, says what to try next, and ends by Ctrl-C', async () => {
    const port = await freePort();
    const sample = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
    await sample.says(/^!dlrow olleH\n/);
    await sample.says(new RegExp(`listens on 127\\.0\\.0\\.1:${port}.*gearman -f reverse.*php -r`, 's'));
    expect(await accepts(port)).toBe(true);
    const [page] = /http:\/\/127\.0\.0\.1:\d+\//.exec(sample.output())!;
    expect(await (await fetch(page)).text()).toContain('<title>Gearman</title>');
    await sample.end('SIGINT');
    expect(await accepts(port)).toBe(false);
    expect(sample.output()).not.toMatch(/error|warn/i);
  });

  it('says that its port is in use, and fails', async () => {
    const port = await freePort();
    const first = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
    await first.says(/Ctrl-C ends it/);
    const second = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(
      `cannot listen on 127.0.0.1:${port}: another program listens there; end it, or choose another port\n`,
    );
    await first.end('SIGINT');
  });
});

describeWith(['gearman', 'php'], 'npm start, and other languages', () => {
  it('serves what it says to try', async () => {
    const port = await freePort();
    const sample = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
    await sample.says(/Ctrl-C ends it/);
    const [, php] = await sample.says(/php -r '(.*)'/);
    const there = php!.replace('addServer()', `addServer("127.0.0.1", ${port})`);
    await expect(run('php', ['-r', there])).resolves.toMatchObject({ code: 0, stdout: '!dlrow olleH' });
    const args = ['-h', '127.0.0.1', '-p', `${port}`, '-f', 'reverse'];
    await expect(run('gearman', args, { input: 'Hello world!' })).resolves.toMatchObject({ stdout: '!dlrow olleH' });
    await sample.end('SIGINT');
  });
});
