import { describe, expect, it } from '@jest/globals';
import type { JobServerOptions } from 'nestjs-gearman/job-server';
import { MemoryStorage, StorageError } from '../../../../lib/job-server/storage/index.js';
import { startFront, submit, type FrontScene } from '../../../support/front.js';
import { turnsUntil } from '../../../support/turns.js';

async function scene(options: JobServerOptions = {}): Promise<FrontScene & { ask(text: string): Promise<string> }> {
  const front = await startFront(options);
  const admin = front.peer();
  return {
    ...front,
    ask: async (text) => {
      admin.sendText(`${text}\nversion\n`);
      const lines: string[] = [];
      for (let line = await admin.next(); !/^OK \d+\.\d+/.test(line); line = await admin.next()) lines.push(line);
      return lines.join('');
    },
  };
}

const INCOMPLETE = 'ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+';

describe('admin words', () => {
  it('status: total, running and workers of every function', async () => {
    const { ask, peer } = await scene();
    expect(await ask('status')).toBe('.\n');
    const client = peer();
    for (let count = 0; count < 3; count++) await submit(client, 'SUBMIT_JOB_BG f··');
    const worker = peer();
    worker.send('CAN_DO f', 'CAN_DO g', 'GRAB_JOB');
    await worker.next();
    expect(await ask('STATUS')).toBe('f\t3\t1\t1\ng\t0\t0\t1\n.\n');
  });

  it('a word that every object of JavaScript has is an unknown one', async () => {
    const { ask } = await scene();
    const unknown = (word: string): string => `ERR UNKNOWN_COMMAND Unknown+server+command${word}\r\n`;
    expect(await ask('constructor')).toBe(unknown('constructor'));
    expect(await ask('__proto__ x')).toBe(unknown('__proto__'));
  });

  it('a word that the storage cannot serve is refused with the reason, and the connection goes on', async () => {
    class LostStorage extends MemoryStorage {
      override async findByHandle(): Promise<never> {
        throw new StorageError('GEARMAN_STORAGE_UNREACHABLE', 'the database is 50% away: look at it');
      }
    }
    const { ask } = await scene({ storage: new LostStorage() });
    const refused = 'ERR STORAGE_UNREACHABLE the+database+is+50%25+away:+look+at+it\r\n';
    for (const words of ['cancel job', 'replay job', 'show dead job'])
      expect(await ask(`${words} H:x:1`)).toBe(refused);
  });

  it('prioritystatus: queued by priority, without the running', async () => {
    const { ask, peer } = await scene();
    const client = peer();
    for (const kind of ['HIGH_BG', 'BG', 'BG', 'LOW_BG', 'LOW_BG', 'LOW_BG']) {
      await submit(client, `SUBMIT_JOB_${kind} f··`);
    }
    const worker = peer();
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    expect(await ask('prioritystatus')).toBe('f\t0\t2\t3\t1\n.\n');
  });

  it('workers: every connection has a line', async () => {
    const { ask, peer } = await scene();
    const worker = peer();
    worker.send('CAN_DO f', 'SET_CLIENT_ID me', 'CAN_DO g');
    await worker.untilEcho();
    expect(await ask('workers')).toBe('1 in-process - :\n2 in-process me : f g\n.\n');
  });

  it('show jobs, show unique jobs', async () => {
    const { ask, peer } = await scene();
    const client = peer();
    const one = await submit(client, 'SUBMIT_JOB_BG f·u1·');
    const other = await submit(client, 'SUBMIT_JOB f··');
    expect(await ask('show jobs')).toBe(`${one}\t0\t0\t1\n${other}\t0\t0\t0\n.\n`);
    expect(await ask('show unique jobs')).toBe('u1\n\n.\n');
    expect(await ask('show x')).toBe('ERR UNKNOWN_SHOW_ARGUMENTS\r\n');
  });

  it('cancel job: a queued foreground client hears WORK_FAIL', async () => {
    const { ask, peer } = await scene();
    const client = peer();
    const handle = await submit(client, 'SUBMIT_JOB f··');
    expect(await ask(`cancel job ${handle}`)).toBe('OK\r\n');
    expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
    expect(await ask(`cancel job ${handle}`)).toBe('ERR UNKNOWN_JOB\r\n');
  });

  it('maxqueue: one limit for all, one for each, or none', async () => {
    const { ask, peer } = await scene();
    const client = peer();
    await submit(client, 'SUBMIT_JOB_BG f··');
    expect(await ask('maxqueue f 1')).toBe('OK\r\n');
    client.send('SUBMIT_JOB_BG f··');
    expect(await client.next()).toBe('ERROR QUEUE_ERROR·Job queue is full');
    expect(await ask('maxqueue f 1 2 1')).toBe('OK\r\n');
    await submit(client, 'SUBMIT_JOB_BG f··');
    client.send('SUBMIT_JOB_HIGH_BG f··');
    expect(await client.next()).toBe('ERROR QUEUE_ERROR·Job queue is full');
    expect(await ask('maxqueue f')).toBe('OK\r\n');
    await submit(client, 'SUBMIT_JOB_HIGH_BG f··');
    expect(await ask('maxqueue')).toBe(`${INCOMPLETE}maxqueue\r\n`);
    expect(await ask('maxqueue unknown 1')).toBe('OK\r\n');
  });

  it('show activity: ages and counts of every function', async () => {
    const { ask, peer } = await scene();
    const worker = peer();
    worker.send('CAN_DO f', 'CAN_DO idle');
    await worker.untilEcho();
    const client = peer();
    for (let count = 0; count < 4; count++) await submit(client, 'SUBMIT_JOB_BG f··');
    // It joins another, and is none of its own.
    await submit(client, 'SUBMIT_JOB_BG f·u·');
    await submit(client, 'SUBMIT_JOB_BG f·u·');
    for (const outcome of ['WORK_COMPLETE', 'WORK_COMPLETE', 'WORK_FAIL']) {
      worker.send('GRAB_JOB');
      const [, handle] = /^JOB_ASSIGN ([^·]*)·/.exec(await worker.next())!;
      worker.send(outcome === 'WORK_FAIL' ? `WORK_FAIL ${handle}` : `WORK_COMPLETE ${handle}·`);
    }
    await worker.untilEcho();
    expect(await ask('show activity')).toMatch(/^f\t\d+\t0\t5\t2\t1\nidle\t0\t0\t0\t0\t0\n\.\n$/);
    expect(await ask('show activity')).not.toMatch(/^f\t[^\t]{9}/);
  });

  it('show jobs of a function: what runs, then what comes next', async () => {
    const { ask, peer } = await scene();
    const worker = peer();
    worker.send('CAN_DO f', 'SET_CLIENT_ID w 1');
    await worker.untilEcho();
    const running = await submit(peer(), 'SUBMIT_JOB f··');
    const client = peer();
    worker.send('GRAB_JOB');
    await worker.next();
    worker.send(`WORK_STATUS ${running}·2·Infinity`);
    await worker.untilEcho();
    const low = await submit(client, 'SUBMIT_JOB_LOW_BG f··');
    const high = await submit(client, 'SUBMIT_JOB_HIGH_BG f··');
    await submit(client, 'SUBMIT_JOB_BG other··');
    const ageless = (await ask('show jobs of f')).replaceAll(/\t\d+(?=(?:\t[^\t]*){5}\n)/g, '');
    expect(ageless).toBe(
      `${running}\t1\tnormal\t0\t0\t0\t2\t0\tw 1\n${high}\t0\thigh\t1\t0\t0\t0\t0\t-\n` +
        `${low}\t0\tlow\t1\t0\t0\t0\t0\t-\n.\n`,
    );
    expect(await ask('show jobs of nobody')).toBe('.\n');
  });

  it('show jobs of a function tells 100 of them', async () => {
    const { ask, peer } = await scene();
    const client = peer();
    for (let count = 0; count < 150; count++) await submit(client, 'SUBMIT_JOB_BG f··');
    expect((await ask('show jobs of f')).split('\n')).toHaveLength(102);
  });

  it('pause and resume function: nobody is given a job between them', async () => {
    const { ask, peer } = await scene();
    expect(await ask('pause function f')).toBe('OK\r\n');
    await submit(peer(), 'SUBMIT_JOB_BG f··');
    const worker = peer();
    worker.send('CAN_DO f', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    expect(await ask('resume function f')).toBe('OK\r\n');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toMatch(/^JOB_ASSIGN /);
    expect(await ask('resume function unknown')).toBe('OK\r\n');
    expect(await ask('pause f')).toBe(`${INCOMPLETE}pause\r\n`);
    expect(await ask('resume function')).toBe(`${INCOMPLETE}resume\r\n`);
  });

  it('create and drop function', async () => {
    const { ask, peer } = await scene();
    expect(await ask('create function f')).toBe('OK\r\n');
    expect(await ask('status')).toBe('f\t0\t0\t0\n.\n');
    const worker = peer();
    worker.send('CAN_DO f');
    await worker.untilEcho();
    expect(await ask('drop function f')).toBe('ERR there are still connected workers or executing clients\r\n');
    worker.send('CANT_DO f');
    await worker.untilEcho();
    expect(await ask('drop function f')).toBe('OK\r\n');
    expect(await ask('drop function f')).toBe('ERR function not found\r\n');
    expect(await ask('status')).toBe('.\n');
  });

  it('getpid, verbose; anything else is unknown; lines end with or without a carriage return', async () => {
    const { ask } = await scene();
    expect(await ask('getpid')).toBe(`OK ${process.pid}\n`);
    expect(await ask('verbose\r')).toBe('OK INFO\n');
    expect(await ask('foo bar')).toBe('ERR UNKNOWN_COMMAND Unknown+server+commandfoo\r\n');
    expect(await ask('shutdown')).toBe('ERR UNKNOWN_COMMAND Unknown+server+commandshutdown\r\n');
  });

  it('mix with packets on one connection, answered in order', async () => {
    const { peer } = await startFront();
    const both = peer();
    both.send('ECHO_REQ 1');
    both.sendText('status\nfoo\n');
    both.send('CAN_DO f', 'ECHO_REQ 2');
    both.sendText('status\n');
    expect(await both.nextOnes(6)).toEqual([
      'ECHO_RES 1',
      '.\n',
      'ERR UNKNOWN_COMMAND Unknown+server+commandfoo\r\n',
      'ECHO_RES 2',
      'f\t0\t0\t1\n',
      '.\n',
    ]);
  });

  it('shutdown asks for the end where it is switched on', async () => {
    const { server, peer } = await startFront({ shutdownCommand: true });
    const asked: boolean[] = [];
    server.on('shutdown', (isGraceful) => asked.push(isGraceful));
    const admin = peer();
    admin.sendText('shutdown\nSHUTDOWN Graceful\n');
    expect(await admin.nextOnes(2)).toEqual(['OK\r\n', 'OK\r\n']);
    // The job server tells it a turn of the event loop after it has answered.
    await turnsUntil('both were told', () => asked.length >= 2);
    expect(asked).toEqual([false, true]);
  });
});
