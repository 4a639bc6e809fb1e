import { describe, expect, it, jest } from '@jest/globals';
import { JobClient } from '../../../lib/driver/index.js';
import { CLOSED } from '../../support/raw-peer.js';
import { settled, turnsUntil } from '../../support/turns.js';
import { clientOf, connected, connectedToTwo, job, submit } from './clients.js';

describe('a client greets', () => {
  it('by asking for exceptions, and for metadata unless it sends none', async () => {
    expect((await connected()).packets).toEqual([
      'OPTION_REQ exceptions',
      'OPTION_REQ withdrawals',
      'OPTION_REQ metadata',
    ]);
    expect((await connected({ metadata: false })).packets).toEqual(['OPTION_REQ exceptions', 'OPTION_REQ withdrawals']);
  });

  it('with its id, if it has one', async () => {
    const { packets } = await connected({ clientId: 'web-1', metadata: false });
    expect(packets).toEqual(['OPTION_REQ exceptions', 'OPTION_REQ withdrawals', 'SET_CLIENT_ID web-1']);
  });

  it('also a job server that knows no exceptions', async () => {
    const { client, server } = clientOf(['a']);
    const connecting = client.connect();
    await server.welcome('ERROR unknown_option·');
    await connecting;
  });
});

describe('a submission', () => {
  it.each([
    [job('a'), 'SUBMIT_JOB reverse··a'],
    [job('a', { priority: 'high', unique: 'u' }), 'SUBMIT_JOB_HIGH reverse·u·a'],
    [job('a', { priority: 'low' }), 'SUBMIT_JOB_LOW reverse··a'],
    [job('a', { reducer: 'sum' }), 'SUBMIT_REDUCE_JOB reverse··sum··a'],
    [job('', { function: 'größe' }), 'SUBMIT_JOB gr\xc3\xb6\xc3\x9fe··'],
  ])('in the foreground, %j, is %s', async (request, packet) => {
    const { client, peer } = await connected();
    submit(client, request);
    expect(await peer.next()).toBe(packet);
  });

  it.each([
    [job('a'), 'SUBMIT_JOB_BG reverse··a'],
    [job('a', { priority: 'high', unique: 'u' }), 'SUBMIT_JOB_HIGH_BG reverse·u·a'],
    [job('a', { priority: 'low' }), 'SUBMIT_JOB_LOW_BG reverse··a'],
    [job('a', { reducer: 'sum' }), 'SUBMIT_REDUCE_JOB_BACKGROUND reverse··sum··a'],
    [job('a', { at: new Date(1_700_000_000_001) }), 'SUBMIT_JOB_EPOCH reverse··1700000001·a'],
  ])('in the background, %j, is %s', async (request, packet) => {
    const { client, peer } = await connected();
    const created = client.submitBackground(request);
    expect(await peer.next()).toBe(packet);
    peer.send('JOB_CREATED H:1');
    expect(await created).toEqual({ handle: 'H:1', server: 'a' });
  });

  it('in the background gets a unique of its own where the client is to generate them', async () => {
    const { client, peer } = await connected({ generateUniques: true });
    void client.submitBackground(job('a')).catch(() => undefined);
    void client.submitBackground(job('a')).catch(() => undefined);
    void client.submitBackground(job('a', { unique: 'mine' })).catch(() => undefined);
    submit(client, job('a'));
    const [first, second, ...others] = await peer.nextOnes(4);
    expect(first).toMatch(/^SUBMIT_JOB_BG reverse·[0-9a-f-]{36}·a$/);
    expect(second).toMatch(/^SUBMIT_JOB_BG reverse·[0-9a-f-]{36}·a$/);
    expect(second).not.toBe(first);
    expect(others).toEqual(['SUBMIT_JOB_BG reverse·mine·a', 'SUBMIT_JOB reverse··a']);
  });

  it.each([
    [job('a', { function: '' }), 'function: must not be empty'],
    [job('a', { function: 'a\0b' }), 'function: must not contain a NUL'],
    [job('a', { unique: 'a\0b' }), 'unique: must not contain a NUL'],
    [job('a', { priority: 'urgent' as 'high' }), "priority: must be 'high', 'normal' or 'low', not 'urgent'"],
    [job('a', { at: new Date(), priority: 'high' }), 'no packet for a job with `at` and priority high'],
    [job('a', { at: new Date() }), 'only a background job can wait'],
    [job('a', { at: new Date(), reducer: 'r' }), 'no packet for a job with `at` and `reducer`'],
    [job('a', { reducer: '' }), 'reducer: must not be empty'],
    [{ function: 'f', workload: 'text' as unknown as Buffer }, 'workload: must be a Uint8Array'],
    [job('x'.repeat(2_000)), 'is longer than maxPacketBytes (1024)'],
  ])('that cannot be sent is refused at once: %#', async (request, message) => {
    const { client } = clientOf(['a'], { maxPacketBytes: 1_024 });
    expect(() => submit(client, request)).toThrow(message);
    expect(() => submit(client, request)).toThrow(expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION' }));
  });

  it('is told by observer what happens to its job', async () => {
    const { client, peer } = await connected();
    const { heard, submission } = submit(client, job());
    await peer.next();
    expect(submission.job).toBeUndefined();
    peer.send('JOB_CREATED H:1', 'WORK_DATA H:1·a·b', 'WORK_WARNING H:1·careful', 'WORK_STATUS H:1·3·10');
    peer.send('WORK_COMPLETE H:1·done', 'WORK_DATA H:1·too late', 'WORK_COMPLETE H:1·again');
    await settled();
    expect(submission.job).toEqual({ handle: 'H:1', server: 'a' });
    expect(heard).toEqual(['created H:1 on a', 'data a\0b', 'warning careful', 'status 3/10', 'complete done']);
  });

  it.each([
    ['WORK_FAIL H:1', 'fail GEARMAN_JOB_FAILED: the job H:1 of reverse failed (WORK_FAIL from a)'],
    ['WORK_FAIL H:1·', 'fail GEARMAN_JOB_FAILED: the job H:1 of reverse failed (WORK_FAIL from a)'],
    ['WORK_EXCEPTION H:1·no such file', 'fail GEARMAN_JOB_EXCEPTION: the job H:1 of reverse failed: no such file'],
    [
      'WORK_WARNING H:1·WORK_EXCEPTION: no such file',
      'fail GEARMAN_JOB_EXCEPTION: the job H:1 of reverse failed: no such file',
    ],
  ])('fails with %s', async (packet, failure) => {
    const { client, peer } = await connected();
    const { heard } = submit(client, job());
    await peer.next();
    // Perl's job server lets a WORK_FAIL follow the exception.
    peer.send('JOB_CREATED H:1', packet, 'WORK_FAIL H:1');
    await settled();
    expect(heard).toEqual(['created H:1 on a', expect.stringContaining(failure)]);
  });

  it('gets the answer that is its own: they come in order, an ERROR among them', async () => {
    const { client, peer } = await connected();
    const first = submit(client, job('1'));
    const second = client.submitBackground(job('2'));
    const third = submit(client, job('3'));
    expect(await peer.nextOnes(3)).toEqual([
      'SUBMIT_JOB reverse··1',
      'SUBMIT_JOB_BG reverse··2',
      'SUBMIT_JOB reverse··3',
    ]);
    peer.send('JOB_CREATED H:1', 'ERROR QUEUE_ERROR·Job queue is full', 'JOB_CREATED H:3', 'WORK_COMPLETE H:3·c');
    await expect(second).rejects.toMatchObject({
      code: 'GEARMAN_SERVER_ERROR',
      server: 'a',
      serverCode: 'QUEUE_ERROR',
      serverText: 'Job queue is full',
    });
    await settled();
    expect(first.heard).toEqual(['created H:1 on a']);
    expect(third.heard).toEqual(['created H:3 on a', 'complete c']);
  });

  it('that was forgotten hears nothing more', async () => {
    const { client, peer } = await connected();
    const { heard, submission } = submit(client, job());
    await peer.next();
    peer.send('JOB_CREATED H:1', 'WORK_DATA H:1·a');
    await settled();
    submission.forget();
    peer.send('WORK_DATA H:1·b', 'WORK_COMPLETE H:1·c');
    await settled();
    expect(heard).toEqual(['created H:1 on a', 'data a']);
  });

  it('does not suffer from the observer of another that throws', async () => {
    const { client, peer } = await connected();
    const errors: string[] = [];
    client.on('error', (error, server) => errors.push(`${server}: ${error.message}`));
    const broken = () => {
      throw new Error('a bug');
    };
    client.submit(job('1'), { complete: broken, fail: broken });
    const { heard } = submit(client, job('2'));
    await peer.nextOnes(2);
    peer.send('JOB_CREATED H:1', 'JOB_CREATED H:2', 'WORK_COMPLETE H:1·', 'WORK_COMPLETE H:2·fine');
    await settled();
    expect(heard).toEqual(['created H:2 on a', 'complete fine']);
    expect(errors).toEqual(['a: a bug']);
  });
});

describe('questions', () => {
  it('about a job go to its own job server', async () => {
    const { client, b } = await connectedToTwo();
    const status = client.status({ handle: 'H:1', server: 'b' });
    expect(await b.next()).toBe('GET_STATUS H:1');
    b.send('STATUS_RES H:1·1·1·3·10');
    expect(await status).toEqual({ isKnown: true, isRunning: true, numerator: 3, denominator: 10, server: 'b' });
  });

  it('about an unknown job are answered by zeros, or by nothing from Perl', async () => {
    const { client, peer } = await connected();
    for (const answer of ['H:1·0·0·0·0', 'H:1·0·0··']) {
      const status = client.status({ handle: 'H:1', server: 'a' });
      await peer.next();
      peer.send(`STATUS_RES ${answer}`);
      expect(await status).toEqual({ isKnown: false, isRunning: false, numerator: 0, denominator: 0, server: 'a' });
    }
  });

  it('about a job of a job server that is not ours are refused', async () => {
    const { client } = await connected();
    await expect(client.status({ handle: 'H:1', server: 'c' })).rejects.toThrow(
      "must be one of this client's job servers (a), not c",
    );
  });

  it('about a unique go to all, and who knows the job answers', async () => {
    const { client, a, b } = await connectedToTwo();
    const status = client.statusByUnique('u');
    expect(await a.next()).toBe('GET_STATUS_UNIQUE u');
    a.send('STATUS_RES_UNIQUE u·0·0·0·0·0');
    b.send('STATUS_RES_UNIQUE u·1·0·0·0·2');
    expect(await status).toEqual({
      isKnown: true,
      isRunning: false,
      numerator: 0,
      denominator: 0,
      clients: 2,
      server: 'b',
    });
  });

  it('about a unique are answered as long as one job server understands them', async () => {
    const { client, a, b } = await connectedToTwo();
    const answered = client.statusByUnique('u');
    await Promise.all([a.next(), b.next()]);
    a.send('ERROR server_error·what?');
    b.send('STATUS_RES_UNIQUE u·0·0·0·0·0');
    expect(await answered).toMatchObject({ isKnown: false, server: 'b' });
    const refused = client.statusByUnique('u');
    await Promise.all([a.next(), b.next()]);
    a.send('ERROR server_error·what?');
    b.send('ERROR server_error·what?');
    await expect(refused).rejects.toMatchObject({ code: 'GEARMAN_SERVER_ERROR', serverText: 'what?' });
  });

  it('are echoed', async () => {
    const { client, peer } = await connected();
    const echo = client.echo('a\0ü');
    expect(await peer.next()).toBe('ECHO_REQ a·\xc3\xbc');
    peer.send('ECHO_RES a·\xc3\xbc');
    expect((await echo).toString()).toBe('a\0ü');
  });

  it('fail when the connection is lost', async () => {
    const { client, peer } = await connected();
    const echo = client.echo('x');
    await peer.next();
    peer.destroy();
    await expect(echo).rejects.toMatchObject({ code: 'GEARMAN_CONNECTION_LOST', server: 'a' });
  });
});

describe('a client that is closed', () => {
  it('fails what is pending, sends what was accepted, and disconnects', async () => {
    const { client, peer } = await connected({ maxPendingSubmissions: 1 });
    const sent = submit(client, job('1'));
    const waiting = submit(client, job('2'));
    const background = client.submitBackground(job('3'));
    const rejected = expect(background).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
    const echo = client.echo('x');
    const alsoRejected = expect(echo).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
    await settled();
    await client.close();
    await Promise.all([rejected, alsoRejected]);
    expect(sent.heard).toEqual(['fail GEARMAN_CLOSED: the client was closed']);
    expect(waiting.heard).toEqual(['fail GEARMAN_CLOSED: the client was closed']);
    expect(await peer.nextOnes(3)).toEqual(['SUBMIT_JOB reverse··1', 'ECHO_REQ x', CLOSED]);
  });

  it('takes nothing more', async () => {
    const { client } = await connected();
    await client.close();
    await client.close();
    expect(() => submit(client, job())).toThrow('the client was closed');
    await expect(client.submitBackground(job())).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
  });

  it('refuses what an observer submits when it hears of it', async () => {
    const { client } = await connected();
    const refusals: unknown[] = [];
    const again = () => {
      try {
        submit(client, job('again'));
      } catch (error) {
        refusals.push(error);
      }
    };
    client.submit(job(), { complete: () => {}, fail: again });
    await settled();
    await client.close();
    expect(refusals).toEqual([expect.objectContaining({ code: 'GEARMAN_CLOSED' })]);
  });

  it.each([
    ['the status of a job', (client: JobClient) => client.status({ handle: 'H:1', server: 'a' })],
    ['the status of a unique', (client: JobClient) => client.statusByUnique('u')],
    ['the result of a job', (client: JobClient) => client.result({ handle: 'H:1', server: 'a' })],
    ['an echo', (client: JobClient) => client.echo('x')],
  ])('at the moment it connects, refuses to ask for %s', async (_what, ask) => {
    const { client, server } = clientOf(['a']);
    client.on('connect', () => void client.close());
    const asked = expect(ask(client)).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
    await server.welcome();
    await asked;
  });

  it('ends a connect that is under way, and leaves no timer', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const { client, server } = clientOf(['a']);
    server.isDown = true;
    const connecting = client.connect();
    submit(client, job());
    const rejected = expect(connecting).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
    await settled();
    await client.close();
    await rejected;
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('events', () => {
  it('tell of every connection', async () => {
    const { client, server, peer } = await connected();
    const events: string[] = [];
    client.on('connect', (name) => events.push(`connect ${name}`));
    client.on('disconnect', (name, reason) => events.push(`disconnect ${name}: ${reason?.message}`));
    client.on('reconnecting', (name, _reason, delay) => events.push(`reconnecting ${name} in ${delay >= 0}`));
    peer.end();
    await server.welcome();
    await turnsUntil('it is connected again', () => events.length === 3);
    expect(events).toEqual([
      'disconnect a: the connection to the job server a was lost: it closed the connection',
      'reconnecting a in true',
      'connect a',
    ]);
  });
});

describe('an option that cannot be', () => {
  it.each([
    [{ servers: 'jobs:0' }, 'servers: jobs: a port must be'],
    [{ choose: 'random' as 'hash' }, "choose: must be 'failover', 'round-robin' or 'hash', not 'random'"],
    [{ connectTimeout: -1 }, 'connectTimeout: must be a whole number of milliseconds from 1'],
    [{ heartbeatInterval: 1.5 }, 'heartbeatInterval: must be a whole number of milliseconds from 0'],
    [{ maxPendingSubmissions: 0 }, 'maxPendingSubmissions: must be a whole number of submissions from 1, not 0'],
    [{ maxPacketBytes: 1 }, 'maxPacketBytes: must be a whole number of bytes from 1024, not 1'],
    [{ clientId: 'a b' }, "clientId: must be a text without blanks, not 'a b'"],
    [{ withdraw: 'false' as never }, "withdraw: must be true or false, not 'false'"],
    [{ server: 'jobs' }, 'server: is no option of a JobClient; did you mean servers? there are servers, tls, '],
  ])('%j is refused at once', (options: object, message) => {
    expect(() => new JobClient(options)).toThrow(message);
  });
});
