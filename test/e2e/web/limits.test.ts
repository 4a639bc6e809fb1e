import { connect, type Socket } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import { expect, it } from '@jest/globals';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { until } from '../../support/until.js';
import { usedBytes } from '../../support/used-bytes.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

/** Speaks HTTP by hand, and reads nothing until told to. */
function speak({ port }: WebScene, text: string): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.pause().write(text);
  return socket;
}

it('holds no more of 500 half bodies than it may, and takes bodies again when they are gone', async () => {
  const scene = await startWeb({}, { maxBufferedBytes: 1_000_000 });
  const head = 'POST /v1/functions/f/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n';
  let refused = 0;
  const sockets = Array.from({ length: 500 }, () => {
    const socket = speak(scene, head + 'x'.repeat(19_999));
    socket.on('data', (answer) => (refused += answer.includes('HTTP/1.1 503') ? 1 : 0)).resume();
    return socket;
  });
  // 50 bodies of 19,999 bytes have room, and parts of others.
  await until('the others are refused', () => refused >= 440);
  expect(coreOf(scene.server).engine.jobCount).toBe(0);
  for (const socket of sockets) socket.destroy();
  await until('there is room', async () => {
    return (await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(900_000) })).status === 202;
  });
});

it('holds no more of results that nobody reads than it may', async () => {
  const scene = await startWeb({}, { maxBufferedBytes: 40_000_000 });
  const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(10_000_000) });
  const get = `GET /v1/jobs/${body.handle}/workload HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 20 }, () => speak(scene, get));
  await until('it has no room for one more', async () => {
    return (await scene.ask('GET', `/v1/jobs/${body.handle}/workload`)).status === 503;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  for (const reader of readers) reader.destroy();
  await until('there is room', async () => (await scene.ask('GET', `/v1/jobs/${body.handle}/workload`)).status === 200);
});

it('cuts off who does not read events, not who is sent a large one', async () => {
  const scene = await startWeb();
  const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
  const path = `/v1/jobs/${body.handle}/events`;
  const lazy = speak(scene, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let last = '';
  lazy.on('data', (bytes) => (last = (last + bytes.toString('latin1')).slice(-200)));
  lazy.pause();
  const eager = await fetch(`http://127.0.0.1:${scene.port}${path}`);
  const worker = scene.peer();
  worker.send('CAN_DO f', 'GRAB_JOB');
  await worker.next();
  const text = eager.text();
  let isCut = false;
  lazy.once('close', () => (isCut = true));
  const large = 'd'.repeat(3_000_000);
  for (let number = 0; number < 8; number++) {
    worker.send(`WORK_DATA ${body.handle}·${large}`, `ECHO_REQ ${number}`);
    await worker.next();
    await new Promise(setImmediate);
  }
  worker.send(`WORK_COMPLETE ${body.handle}·end`);
  lazy.resume();
  await until('it is cut off', () => isCut);
  expect(last).toContain('event: cut\ndata: {"code":"unread","detail":"Events were not read fast enough."}');
  expect((await text).match(/^event: \w+/gm)!.slice(0, 3)).toEqual(['event: job', 'event: started', 'event: data']);
});

it('holds no more than it may of 500 at once who read slowly or send halves, and serves the others', async () => {
  const scene = await startWeb({ maxFunctions: 20_000 }, { maxBufferedBytes: 30_000_000 });
  const { engine } = coreOf(scene.server);
  for (let number = 0; number < 5_000; number++) engine.createFunction(`${'f'.repeat(100)}${number}`);
  const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(2_000_000) });
  const client = scene.peer();
  client.send(...Array.from({ length: 1_000 }, (_, number) => `SUBMIT_JOB_BG g·${number}·${number}`));
  await client.nextOnes(1_000);
  const tails = ['/v1/events', `/v1/jobs/${body.handle}/events`];
  const lists = ['/v1/functions', '/v1/jobs?limit=1000', '/metrics', '/v1/openapi.json', '/v1/history'];
  const half = `POST /v1/functions/f/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n`;
  const said = [
    ...[...tails, ...lists, `/v1/jobs/${body.handle}/workload`].map(
      (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    ),
    half + 'x'.repeat(199_999),
    'POST /v1/functions/g/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx',
  ];
  const before = usedBytes();
  // In memory: on a socket the kernel would hold megabytes of each.
  const lazy = Array.from({ length: 500 }, (_, index): Duplex => {
    const [near, far] = duplexPair();
    scene.http.emit('connection', far);
    near.on('error', () => undefined).pause();
    near.once('close', () => far.destroy());
    near.write(said[index % said.length]!);
    return near;
  });
  await until('there is no room for one more', async () => {
    return (await scene.ask('GET', `/v1/jobs/${body.handle}/workload`)).status === 503;
  });
  const worker = scene.peer();
  for (let number = 0; number < 20; number++) {
    // Who does not fit is told so, and who is small, or speaks Gearman, is served.
    expect((await scene.ask('GET', `/v1/functions/f`)).status).toBe(200);
    expect((await scene.ask('GET', `/v1/jobs/${body.handle}`)).status).toBe(200);
    expect((await grab(worker, 'g')).workload).toBe(`${number}`);
  }
  // Without a limit it would be 130 MB and more.
  expect(usedBytes() - before).toBeLessThan(100_000_000);
  for (const each of lazy) each.destroy();
  await until('all room is given back', async () => {
    return (await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(29_000_000) })).status === 202;
  });
});

it('bounds what 500 readers of events leave unread, tells them, and serves the others', async () => {
  const scene = await startWeb({}, { maxBufferedBytes: 50_000_000 });
  const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
  const worker = scene.peer();
  worker.send('CAN_DO f', 'GRAB_JOB');
  await worker.next();
  // In memory: on a socket the kernel would hold megabytes of each.
  const lazy = Array.from({ length: 500 }, (): Duplex => {
    const [near, far] = duplexPair();
    scene.http.emit('connection', far);
    near.pause().write(`GET /v1/jobs/${body.handle}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    return near;
  });
  await until('256 look on', async () => (await scene.json('GET', '/v1/jobs/H:x:1/result?wait=1')).status === 503);
  const before = process.memoryUsage();
  const data = 'd'.repeat(100_000);
  for (let number = 0; number < 40; number++) {
    worker.send(`WORK_DATA ${body.handle}·${data}`);
    await worker.untilEcho();
    expect((await scene.json('GET', '/v1/functions/f')).body.running).toBe(1);
  }
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  // 256 streams of 4 MB would be 1 GB.
  expect(grown).toBeLessThan(300_000_000);
  const ends = await Promise.all(
    lazy.map(async (stream) => {
      let last = '';
      for await (const part of stream) last = (last + (part as Buffer).toString('latin1')).slice(-300);
      return /"code":"([\w-]+)"/.exec(last)?.[1];
    }),
  );
  const countOf = (code: string): number => ends.filter((end) => end === code).length;
  expect([countOf('too-busy'), countOf('too-many')]).toEqual([256, 244]);
  expect(await (await scene.ask('HEAD', '/v1/events')).text()).toBe('');
});
