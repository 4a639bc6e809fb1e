import { describe, expect, it, jest } from '@jest/globals';
import { type RawPeer } from '../../support/raw-peer.js';
import { settled, turnsUntil } from '../../support/turns.js';
import { until } from '../../support/until.js';
import { clientOf, connected, connectedToTwo, job, said, submit } from './clients.js';

describe('when a job server is lost', () => {
  const submitted = async (peer: RawPeer, count: number) => (await peer.nextOnes(count)).map((packet) => packet.at(-1));

  it('what it had not finished goes to another, oldest first', async () => {
    const { client, a, b } = await connectedToTwo();
    const running = submit(client, job('1'));
    const background = client.submitBackground(job('2'));
    const unanswered = submit(client, job('3'));
    await a.nextOnes(3);
    a.send('JOB_CREATED H:1', 'WORK_DATA H:1·first try');
    await settled();
    a.destroy();
    expect(await submitted(b, 3)).toEqual(['1', '2', '3']);
    b.send('JOB_CREATED H:7', 'JOB_CREATED H:8', 'JOB_CREATED H:9', 'WORK_COMPLETE H:7·one', 'WORK_COMPLETE H:9·three');
    expect(await background).toEqual({ handle: 'H:8', server: 'b' });
    await settled();
    expect(running.heard).toEqual(['created H:1 on a', 'data first try', 'created H:7 on b', 'complete one']);
    expect(unanswered.heard).toEqual(['created H:9 on b', 'complete three']);
  });

  it('a background job that was accepted stays there', async () => {
    const { client, a, b } = await connectedToTwo();
    const background = client.submitBackground(job('1'));
    await a.next();
    a.send('JOB_CREATED H:1');
    await background;
    a.destroy();
    await turnsUntil('a is lost', () => client.connectedServers.length === 1);
    expect(await said(client, b)).toEqual([]);
  });

  it('a job that must not run twice fails', async () => {
    const { client, a, b } = await connectedToTwo();
    const { heard } = submit(client, job('1', { resubmit: false }));
    const other = submit(client, job('2'));
    await a.nextOnes(2);
    a.destroy();
    expect(await submitted(b, 1)).toEqual(['2']);
    expect(heard).toEqual([expect.stringMatching(/^fail GEARMAN_CONNECTION_LOST: .* job server a was lost/)]);
    expect(other.heard).toEqual([]);
  });

  it('a job that nobody waits for any more is not submitted again', async () => {
    const { client, a, b } = await connectedToTwo();
    const { submission } = submit(client, job('1'));
    submit(client, job('2'));
    expect(await submitted(a, 2)).toEqual(['1', '2']);
    submission.forget();
    a.destroy();
    expect(await submitted(b, 1)).toEqual(['2']);
  });

  it('a submission that every job server closes the connection at is given up', async () => {
    const { client, server } = clientOf(['a']);
    const { heard } = submit(client, job('poison'));
    const told: string[] = [];
    for (let loss = 0; loss < 10; loss++) {
      const { peer } = await server.welcome();
      told.push(await peer.next());
      peer.destroy();
    }
    await until('it is given up', () => heard.length > 0);
    expect(heard).toEqual([expect.stringMatching(/^fail GEARMAN_CONNECTION_LOST: .* was lost 10 times/)]);
    expect(told).toEqual(Array(10).fill('SUBMIT_JOB reverse··poison'));
  });
});

describe('while no job server is connected', () => {
  it('a submission waits, and goes to the first that comes', async () => {
    const { client, servers } = clientOf(['a', 'b']);
    const { heard } = submit(client, job('1'));
    const { peer } = await servers[1]!.welcome();
    expect(await peer.next()).toBe('SUBMIT_JOB reverse··1');
    peer.send('JOB_CREATED H:1', 'WORK_COMPLETE H:1·done');
    await settled();
    expect(heard).toEqual(['created H:1 on b', 'complete done']);
  });

  it('it fails after connectTimeout with an error that names every job server', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const { client, servers } = clientOf(['a', 'b'], {
      connectTimeout: 500,
      reconnect: { initialDelay: 100, factor: 1, jitter: 0 },
    });
    servers[0]!.isDown = true;
    const connecting = client.connect();
    const early = submit(client, job('1'));
    await settled();
    jest.advanceTimersByTime(200);
    const late = submit(client, job('2'));
    await settled();
    jest.advanceTimersByTime(299);
    await settled();
    expect(early.heard).toEqual([]);
    jest.advanceTimersByTime(1);
    const message =
      'fail GEARMAN_NO_SERVER: no job server could be reached within 500 ms (connectTimeout): ' +
      'a (cannot connect to the job server a: a is down); b (no answer yet). Is one running at an address of `servers`?';
    await turnsUntil('it fails', () => early.heard.length > 0);
    expect(early.heard).toEqual([message]);
    expect(late.heard).toEqual([]);
    await expect(connecting).rejects.toMatchObject({ code: 'GEARMAN_NO_SERVER' });
    jest.advanceTimersByTime(200);
    await turnsUntil('the other fails', () => late.heard.length > 0);
    expect(late.heard).toEqual([expect.stringContaining('GEARMAN_NO_SERVER')]);
  });

  it('a rejected connect can be tried again', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const { client, server } = clientOf(['a']);
    server.isDown = true;
    const rejected = expect(client.connect()).rejects.toMatchObject({ code: 'GEARMAN_NO_SERVER' });
    jest.advanceTimersByTime(5_000);
    await rejected;
    server.isDown = false;
    await settled();
    jest.advanceTimersByTime(1);
    const again = client.connect();
    await server.welcome();
    await again;
    await client.connect();
  });
});

describe('backpressure', () => {
  it('holds submissions back while too many await their answer', async () => {
    const { client, peer } = await connected({ maxPendingSubmissions: 2 });
    const all = ['1', '2', '3', '4'].map((workload) => submit(client, job(workload)));
    expect(await said(client, peer)).toEqual(['SUBMIT_JOB reverse··1', 'SUBMIT_JOB reverse··2']);
    peer.send('JOB_CREATED H:1');
    expect(await peer.next()).toBe('SUBMIT_JOB reverse··3');
    all[3]!.submission.forget();
    peer.send('ERROR QUEUE_ERROR·full', 'JOB_CREATED H:3');
    expect(await said(client, peer)).toEqual([]);
  });
});
