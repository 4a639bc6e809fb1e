import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { GearmanJobServer, GearmanJobServerModule, type JobServerEvent } from 'nestjs-gearman/job-server';
import { atEnd } from '../../../support/cleanup.js';
import { CLOSED, RawPeer } from '../../../support/raw-peer.js';
import { settled } from '../../../support/turns.js';

async function create(options: Parameters<typeof GearmanJobServerModule.forRoot>[0]): Promise<GearmanJobServer> {
  const module = await Test.createTestingModule({ imports: [GearmanJobServerModule.forRoot(options)] }).compile();
  await module.init();
  atEnd(() => module.close());
  return module.get(GearmanJobServer);
}

const handleIn = (packet: string): string => packet.split(' ')[1]!.split('·')[0]!;

describe('GearmanJobServer', () => {
  let jobServer: GearmanJobServer;
  let client: RawPeer;
  let worker: RawPeer;

  beforeEach(async () => {
    jobServer = await create({ listeners: [] });
    client = new RawPeer(jobServer.connect());
    worker = new RawPeer(jobServer.connect());
  });

  it('logs with Nest’s logger what a line is about as well as what it says', async () => {
    const lines: unknown[][] = [];
    const silent = (): void => undefined;
    const warn = (...line: unknown[]): void => void lines.push(line);
    Logger.overrideLogger({ log: silent, error: silent, warn, debug: silent });
    atEnd(() => Logger.overrideLogger(false));
    worker.sendText('\0REQ\0\0\0\x07\xff\xff\xff\xff');
    for (let next = ''; next !== CLOSED; next = await worker.next());
    expect(lines.at(-1)).toEqual([
      expect.stringMatching(/^in-process \(#2\): closed: .* \(after \d+ ms\)$/),
      'GearmanJobServer',
    ]);
  });

  it('shows functions, workers and jobs at one moment, names as text', async () => {
    worker.send('SET_CLIENT_ID w1', 'CAN_DO gr\xc3\xb6\xc3\x9fe', 'ECHO_REQ');
    await worker.next();
    client.send('SUBMIT_JOB_HIGH gr\xc3\xb6\xc3\x9fe·u·x', 'SUBMIT_JOB_BG gr\xc3\xb6\xc3\x9fe··y');
    const first = handleIn(await client.next());
    await client.next();
    worker.send('GRAB_JOB', `WORK_STATUS ${first}·3·10`, 'ECHO_REQ');
    await worker.next();
    await worker.next();
    expect(jobServer.functions()).toEqual([
      {
        name: 'größe',
        total: 2,
        running: 1,
        queued: { high: 0, normal: 1, low: 0 },
        delayed: 0,
        limits: { high: 0, normal: 0, low: 0 },
        workers: 1,
        isPaused: false,
      },
    ]);
    expect(jobServer.workers()).toEqual([
      {
        id: 2,
        clientId: 'w1',
        address: 'in-process',
        functions: ['größe'],
        running: 1,
        done: 0,
        connectedSince: expect.any(Date),
        isQuiet: false,
      },
    ]);
    expect([...jobServer.jobs()]).toMatchObject([
      { handle: first, unique: 'u', priority: 'high', state: 'running', clients: 1, numerator: 3, denominator: 10 },
      { unique: '', priority: 'normal', state: 'waiting', isBackground: true, clients: 0 },
    ]);
    expect(jobServer.job(first)?.state).toBe('running');
    expect(jobServer.job('H:nobody:1')).toBeUndefined();
  });

  it('tells what happens, from the moment somebody subscribes', async () => {
    const seen: string[] = [];
    const tell = (event: JobServerEvent): number => seen.push(event.type);
    const subscription = jobServer.events$.subscribe(tell);
    worker.send('CAN_DO f', 'PRE_SLEEP', 'ECHO_REQ asleep');
    await worker.next();
    client.send('SUBMIT_JOB f··x');
    const handle = handleIn(await client.next());
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    await worker.next();
    worker.send('RESET_ABILITIES', 'CAN_DO f', 'GRAB_JOB');
    await worker.next();
    worker.send(`WORK_FAIL ${handle}`);
    expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
    subscription.unsubscribe();
    client.send('SUBMIT_JOB f··unseen');
    await client.next();
    expect(seen).toEqual([
      'workerJoined',
      'submitted',
      'assigned',
      'workerLeft',
      'requeued',
      'workerJoined',
      'assigned',
      'failed',
    ]);
  });

  it('cancels a queued job, whose client hears that it failed', async () => {
    client.send('SUBMIT_JOB f··x');
    const handle = handleIn(await client.next());
    expect(await jobServer.cancel(handle)).toBe(true);
    expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
    expect(await jobServer.cancel(handle)).toBe(false);
  });

  it('holds the jobs of a paused function back and hands them out again', async () => {
    jobServer.pause('f');
    worker.send('CAN_DO f', 'GRAB_JOB');
    client.send('SUBMIT_JOB_BG f··x');
    expect(await worker.next()).toBe('NO_JOB');
    await client.next();
    worker.send('GRAB_JOB', 'PRE_SLEEP', 'ECHO_REQ asleep');
    expect([await worker.next(), await worker.next()]).toEqual(['NO_JOB', 'ECHO_RES asleep']);
    expect(jobServer.functions()[0]?.isPaused).toBe(true);
    jobServer.resume('f');
    expect(await worker.next()).toBe('NOOP');
  });

  it('limits a queue, by one number or by priority, and refuses what is none', async () => {
    jobServer.limitQueue('f', { high: 0, normal: 1, low: 1 });
    client.send('SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f··2', 'SUBMIT_JOB_HIGH_BG f··3');
    expect(await client.next()).toMatch(/^JOB_CREATED/);
    expect(await client.next()).toBe('ERROR QUEUE_ERROR·Job queue is full');
    expect(await client.next()).toMatch(/^JOB_CREATED/);
    expect(() => jobServer.limitQueue('f', -1)).toThrow(
      'limit: must be a whole number from 0, or one for each priority, not -1',
    );
  });

  it('drops a function nobody does and nobody waits for', async () => {
    worker.send('CAN_DO f', 'ECHO_REQ');
    await worker.next();
    expect(jobServer.dropFunction('f')).toBe(false);
    worker.send('CANT_DO f', 'ECHO_REQ');
    await worker.next();
    expect(jobServer.dropFunction('f')).toBe(true);
    expect(jobServer.functions()).toEqual([]);
  });

  it('is drained: running jobs end first, nothing else begins, and nobody is let in until it is started', async () => {
    worker.send('CAN_DO f');
    client.send('SUBMIT_JOB f··1', 'SUBMIT_JOB_BG f··2');
    const [running] = (await client.nextOnes(2)).map(handleIn);
    worker.send('GRAB_JOB');
    await worker.next();
    const drained = jobServer.drain();
    expect(await new RawPeer(jobServer.connect()).next()).toBe(CLOSED);
    worker.send('GRAB_JOB', `WORK_COMPLETE ${running}·done`);
    expect(await worker.nextOnes(2)).toEqual(['NO_JOB', CLOSED]);
    expect(await client.nextOnes(2)).toEqual([`WORK_COMPLETE ${running}·done`, CLOSED]);
    await drained;
    expect(await new RawPeer(jobServer.connect()).next()).toBe(CLOSED);
    await jobServer.start();
    expect(await new RawPeer(jobServer.connect()).untilEcho()).toEqual([]);
  });

  it('is drained no longer than its grace period, and refuses one that is none', async () => {
    worker.send('CAN_DO f');
    client.send('SUBMIT_JOB f··1');
    await client.next();
    worker.send('GRAB_JOB');
    await worker.next();
    await expect(jobServer.drain({ gracePeriod: -1 })).rejects.toThrow(
      /^gracePeriod: must be a number of milliseconds/,
    );
    await jobServer.drain({ gracePeriod: 1 });
    expect(await worker.next()).toBe(CLOSED);
  });
});

describe('GearmanJobServerModule', () => {
  it('refuses wrong options when the app starts, naming them', async () => {
    await expect(create({ listeners: [{ port: 70_000 }] })).rejects.toThrow(
      'listeners[0].port: must be a whole number from 0 to 65535, not 70000',
    );
    await expect(create({ order: '3.0' as never })).rejects.toThrow("order: must be '2.0' or '1.1', not '3.0'");
    await expect(create({ colour: 'red' } as never)).rejects.toThrow(/^colour: is no option of the job server/);
  });

  it('is not started again by who connects once its app has closed', async () => {
    const module = await Test.createTestingModule({
      imports: [GearmanJobServerModule.forRoot({ listeners: [{ port: 0 }] })],
    }).compile();
    await module.init();
    const jobServer = module.get(GearmanJobServer);
    await module.close();
    expect(await new RawPeer(jobServer.connect()).next()).toBe(CLOSED);
    await settled();
    expect(jobServer.addresses).toEqual([]);
  });

  it('takes its options from a factory class', async () => {
    class Factory {
      createGearmanJobServerOptions(): { listeners: [] } {
        return { listeners: [] };
      }
    }
    const module = await Test.createTestingModule({
      imports: [GearmanJobServerModule.forRootAsync({ useClass: Factory, isGlobal: true })],
    }).compile();
    atEnd(() => module.close());
    expect(module.get(GearmanJobServer).addresses).toEqual([]);
  });
});
