import { duplexPair, type Duplex } from 'node:stream';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { AdminClient, type AdminClientOptions } from '../../../lib/driver/index.js';
import { turnsUntil } from '../../support/turns.js';

const admins: AdminClient[] = [];
afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(admins.splice(0).map((admin) => admin.close()));
});

/** An AdminClient, what it has asked, and its job server's end of each connection. */
function adminOf(options: Omit<AdminClientOptions, 'server'> = {}) {
  const ends: Duplex[] = [];
  const asked: string[] = [];
  const connect = () => {
    const [ours, theirs] = duplexPair();
    ours.on('data', (chunk: Buffer) => asked.push(chunk.toString('latin1')));
    ends.push(ours);
    return theirs;
  };
  const admin = new AdminClient({ server: { connect, name: 'a' }, ...options });
  admins.push(admin);
  return { admin, ends, asked };
}

/** What one call makes of the job server's answer, and what it asked. */
async function answered<Answer>(call: (admin: AdminClient) => Promise<Answer>, ...chunks: (string | Buffer)[]) {
  const { admin, ends, asked } = adminOf();
  const answer = call(admin);
  // A failure is looked at by the test, later than it happens.
  answer.catch(() => undefined);
  await turnsUntil('it has asked', () => asked.length > 0);
  for (const chunk of chunks) ends[0]!.write(chunk, 'latin1');
  return { answer, asked: asked.join('') };
}

describe('an AdminClient reads', () => {
  it.each([
    [
      'status',
      (admin: AdminClient) => admin.status(),
      'status\r\n',
      'reverse\t5\t2\t3\ngr\xc3\xb6\xc3\x9fe\t0\t0\t1\nwith\ttab\t1\t0\t0\n.\n',
      [
        { function: 'reverse', total: 5, running: 2, workers: 3 },
        { function: 'größe', total: 0, running: 0, workers: 1 },
        { function: 'with\ttab', total: 1, running: 0, workers: 0 },
      ],
    ],
    [
      'prioritystatus',
      (admin: AdminClient) => admin.priorityStatus(),
      'prioritystatus\r\n',
      'reverse\t1\t2\t3\t4\n.\n',
      [{ function: 'reverse', high: 1, normal: 2, low: 3, workers: 4 }],
    ],
    [
      'show functions',
      (admin: AdminClient) => admin.functions(),
      'show functions\r\n',
      'reverse\t10\t1\t2\t3\t0\t4\t5\t1\t6\t7\t8\n.\n',
      [
        {
          function: 'reverse',
          total: 10,
          running: 1,
          high: 2,
          normal: 3,
          low: 0,
          delayed: 4,
          workers: 5,
          isPaused: true,
          limits: { high: 6, normal: 7, low: 8 },
        },
      ],
    ],
    [
      'show activity',
      (admin: AdminClient) => admin.activity(),
      'show activity\r\n',
      'reverse\t1500\t20\t7\t4\t1\n.\n',
      [{ function: 'reverse', oldestWaiting: 1500, longestRunning: 20, submitted: 7, completed: 4, failed: 1 }],
    ],
    [
      'show activity of a foreign job server',
      (admin: AdminClient) => admin.activity(),
      'show activity\r\n',
      'ERR UNKNOWN_SHOW_ARGUMENTS\r\n',
      undefined,
    ],
    [
      'show jobs of',
      (admin: AdminClient) => admin.jobsOf('f'),
      'show jobs of f\r\n',
      'H:box:1\t1\thigh\t0\t2500\t1\t2\t3\t4.5\tw 1\nH:box:2\t0\tlow\t1\t10\t0\t0\t0\t0\t-\n.\n',
      [
        {
          handle: 'H:box:1',
          isRunning: true,
          priority: 'high',
          isBackground: false,
          age: 2500,
          losses: 1,
          attempts: 2,
          numerator: 3,
          denominator: 4.5,
          worker: 'w 1',
        },
        {
          handle: 'H:box:2',
          isRunning: false,
          priority: 'low',
          isBackground: true,
          age: 10,
          losses: 0,
          attempts: 0,
          numerator: 0,
          denominator: 0,
          worker: undefined,
        },
      ],
    ],
    ['pause', (admin: AdminClient) => admin.pauseFunction('ü'), 'pause function \xc3\xbc\r\n', 'OK\r\n', undefined],
    ['resume', (admin: AdminClient) => admin.resumeFunction('f'), 'resume function f\r\n', 'OK\r\n', undefined],
    [
      'workers',
      (admin: AdminClient) => admin.workers(),
      'workers\r\n',
      '12 127.0.0.1 - :\n13 ::1 w1 : reverse resize\n14 10.0.0.1 w2 :\n.\n',
      [
        { descriptor: 12, address: '127.0.0.1', clientId: undefined, functions: [] },
        { descriptor: 13, address: '::1', clientId: 'w1', functions: ['reverse', 'resize'] },
        { descriptor: 14, address: '10.0.0.1', clientId: 'w2', functions: [] },
      ],
    ],
    [
      'show jobs',
      (admin: AdminClient) => admin.jobs(),
      'show jobs\r\n',
      'H:box:1\t2\t0\t1\nH:box:2\t0\t1\t0\n.\n',
      [
        { handle: 'H:box:1', retries: 2, isIgnored: false, isQueued: true },
        { handle: 'H:box:2', retries: 0, isIgnored: true, isQueued: false },
      ],
    ],
    [
      'show unique jobs',
      (admin: AdminClient) => admin.uniqueJobs(),
      'show unique jobs\r\n',
      'a\n\nERR b\n.\n',
      ['a', 'ERR b'],
    ],
    ['an empty list', (admin: AdminClient) => admin.status(), 'status\r\n', '.\r\n', []],
    ['version', (admin: AdminClient) => admin.version(), 'version\r\n', 'OK 1.1.20\n', '1.1.20'],
    ["Perl's version", (admin: AdminClient) => admin.version(), 'version\r\n', '1.130.2\n', '1.130.2'],
    ['getpid', (admin: AdminClient) => admin.processId(), 'getpid\r\n', 'OK 123\n', 123],
    ['verbose', (admin: AdminClient) => admin.logLevel(), 'verbose\r\n', 'OK ERROR\n', 'ERROR'],
    ['cancel job', (admin: AdminClient) => admin.cancelJob('H:1'), 'cancel job H:1\r\n', 'OK\r\n', true],
    ['no such job', (admin: AdminClient) => admin.cancelJob('H:1'), 'cancel job H:1\r\n', 'ERR UNKNOWN_JOB\r\n', false],
    ['maxqueue', (admin: AdminClient) => admin.limitQueue('f', 10), 'maxqueue f 10\r\n', 'OK\r\n', undefined],
    [
      'maxqueue by priority',
      (admin: AdminClient) => admin.limitQueue('f', { high: 3, normal: 2, low: 1 }),
      'maxqueue f 3 2 1\r\n',
      'OK\r\n',
      undefined,
    ],
    ['create', (admin: AdminClient) => admin.createFunction('ü'), 'create function \xc3\xbc\r\n', 'OK\r\n', undefined],
    ['drop', (admin: AdminClient) => admin.dropFunction('f'), 'drop function f\r\n', 'OK\r\n', undefined],
    ['shutdown', (admin: AdminClient) => admin.shutdown(), 'shutdown\r\n', 'OK\r\n', undefined],
    [
      'a graceful end',
      (admin: AdminClient) => admin.shutdown({ graceful: true }),
      'shutdown graceful\r\n',
      'OK\n',
      undefined,
    ],
  ])('%s', async (_, call, command, reply, expected) => {
    const whole = await answered<unknown>(call, reply);
    expect(whole.asked).toBe(command);
    expect(await whole.answer).toEqual(expected);
    const byByte = await answered<unknown>(call, ...[...reply].map((character) => Buffer.from(character, 'latin1')));
    expect(await byByte.answer).toEqual(expected);
  });

  it('a line of any length', async () => {
    const functions = Array.from({ length: 5_000 }, (_, index) => `function-${index}`);
    const { answer } = await answered((admin) => admin.workers(), `1 ::1 - : ${functions.join(' ')}\n.\n`);
    expect((await answer)[0]!.functions).toEqual(functions);
  });
});

describe('an AdminClient fails', () => {
  it.each([
    ['ERR UNKNOWN_COMMAND Unknown+server+commandfoo\r\n', 'UNKNOWN_COMMAND', 'Unknown server commandfoo'],
    ['ERR unknown_command \r\n', 'unknown_command', ''],
    [
      'ERR there are still connected workers or executing clients\r\n',
      'ERR',
      'there are still connected workers or executing clients',
    ],
  ])('with what the job server says: %j', async (reply, serverCode, serverText) => {
    for (const call of [(admin: AdminClient) => admin.dropFunction('f'), (admin: AdminClient) => admin.jobs()]) {
      const { answer } = await answered<unknown>(call, reply);
      await expect(answer).rejects.toMatchObject({ code: 'GEARMAN_SERVER_ERROR', serverCode, serverText });
    }
  });

  it('with what cannot be read', async () => {
    for (const reply of ['nonsense\n.\n', 'f\t1\tx\t1\n.\n']) {
      const { answer } = await answered((admin) => admin.status(), reply);
      await expect(answer).rejects.toThrow('cannot be read');
    }
  });

  it.each([
    [(admin: AdminClient) => admin.createFunction(5 as unknown as string), 'function: must be a text, not 5'],
    [(admin: AdminClient) => admin.limitQueue('f', -1), 'limit: must be a whole number of jobs from 0, not -1'],
  ])('for what is no command: %#', async (call, message) => {
    await expect(call(adminOf().admin)).rejects.toThrow(message);
  });

  it.each([
    [(admin: AdminClient) => admin.createFunction('a b'), 'function: must be a text without blanks'],
    [(admin: AdminClient) => admin.cancelJob('H:1\r\nshutdown'), 'handle: must be a text without blanks'],
  ])('for a name that a foreign job server cannot be told: %#', async (call, message) => {
    const { answer, asked } = await answered<unknown>(call, 'ERR UNKNOWN_COMMAND Unknown+server+commandreplay\r\n');
    expect(asked).toBe('replay job\r\n');
    await expect(answer).rejects.toThrow(message);
  });

  it('when the connection is lost, and connects again for the next', async () => {
    const { admin, ends, asked } = adminOf();
    const version = admin.version();
    const lost = expect(version).rejects.toMatchObject({ code: 'GEARMAN_CONNECTION_LOST', server: 'a' });
    await turnsUntil('it has asked', () => asked.length > 0);
    ends[0]!.end();
    await lost;
    const again = admin.version();
    await turnsUntil('it has connected again', () => ends.length === 2);
    ends[1]!.write('OK 2\n');
    expect(await again).toBe('2');
  });

  it('when no answer comes in time, and does not take a late one for the next', async () => {
    const { admin, ends, asked } = adminOf({ timeout: 5 });
    await expect(admin.version()).rejects.toMatchObject({ code: 'GEARMAN_TIMEOUT' });
    ends[0]!.write('OK late\n');
    const next = admin.logLevel();
    await turnsUntil('it has asked again', () => asked.length === 2);
    ends[1]!.write('OK ERROR\n');
    expect(await next).toBe('ERROR');
  });

  it('when it is closed', async () => {
    const { admin, asked } = adminOf();
    const version = admin.version();
    const failed = expect(version).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
    await turnsUntil('it has asked', () => asked.length > 0);
    await admin.close();
    await failed;
    await expect(admin.version()).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
  });
});

it('an AdminClient takes the end of the connection for the answer to a shutdown', async () => {
  const { admin, ends, asked } = adminOf();
  const over = admin.shutdown();
  await turnsUntil('it has asked', () => asked.length > 0);
  ends[0]!.end();
  await over;
});

it('an AdminClient answers commands in their order', async () => {
  const { admin, ends, asked } = adminOf();
  const both = Promise.all([admin.status(), admin.version()]);
  await turnsUntil('it has asked both', () => asked.join('').length === 17);
  ends[0]!.write('f\t1\t0\t0\n.\nOK 1\n');
  expect(await both).toEqual([[{ function: 'f', total: 1, running: 0, workers: 0 }], '1']);
});

it('an AdminClient asks one job server', () => {
  expect(() => new AdminClient({ server: 'a,b' })).toThrow('server: an AdminClient asks one job server');
  expect(() => new AdminClient({ servers: 'a' } as object)).toThrow(
    'servers: is no option of an AdminClient; did you mean server? there are server, tls, connectTimeout, timeout',
  );
});
