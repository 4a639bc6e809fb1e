import { describe, expect, it, jest } from '@jest/globals';
import { WorkException, type JobHandler } from '../../../lib/driver/index.js';
import { settled, turnsUntil } from '../../support/turns.js';
import { REFUSED, echo, held, pulling, pushed, said, workerOf } from './workers.js';

describe('pulling', () => {
  it('runs no more jobs at once for answers to grabs that it did not send, and reports them', async () => {
    const { jobs, handler } = held();
    const { worker, peer } = await pulling(handler);
    const errors: string[] = [];
    worker.on('error', ({ message }) => errors.push(message));
    expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
    peer.send('NO_JOB', 'NO_JOB', 'NO_JOB');
    expect(await said(peer)).toEqual(['PRE_SLEEP']);
    expect(errors).toEqual(Array(2).fill('the job server a sent NO_JOB without being asked'));
    peer.send('NOOP', 'JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ']);
    // Its one slot is in use already.
    peer.send('JOB_ASSIGN_UNIQ H:2·reverse··');
    expect(await said(peer)).toEqual([]);
    jobs[0]!.finish();
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:1·']);
    jobs[1]!.finish();
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:2·', 'GRAB_JOB_UNIQ']);
  });

  it('sleeps when there is no job, and looks again when it is woken', async () => {
    const { peer } = await pulling(echo);
    for (let round = 0; round < 3; round++) {
      expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
      peer.send('NO_JOB');
      expect(await peer.next()).toBe('PRE_SLEEP');
      peer.send('NOOP');
    }
  });

  it('asks for more at once the more jobs it gets in a row, up to its slots', async () => {
    const { jobs, handler } = held();
    const { peer } = await pulling(handler, { concurrency: 5 });
    let handle = 0;
    const assign = (count: number) => {
      for (let each = 0; each < count; each++) peer.send(`JOB_ASSIGN_UNIQ H:${++handle}·reverse··`);
    };
    const grabs = async () => (await said(peer)).length;
    expect(await grabs()).toBe(1);
    assign(1);
    expect(await grabs()).toBe(1);
    assign(1);
    expect(await grabs()).toBe(2);
    assign(2);
    // Four jobs run: one slot is left.
    expect(await grabs()).toBe(1);
    assign(1);
    expect(await grabs()).toBe(0);
    expect(jobs.length).toBe(5);
    jobs[2]!.finish('c');
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:3·c', 'GRAB_JOB_UNIQ']);
  });

  it('sleeps only when its last grab is answered, and takes what the others bring', async () => {
    const { jobs, handler } = held();
    const { peer } = await pulling(handler, { concurrency: 4 });
    for (const handle of [1, 2]) {
      await peer.next();
      peer.send(`JOB_ASSIGN_UNIQ H:${handle}·reverse··`);
    }
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ']);
    peer.send('NO_JOB');
    expect(await said(peer)).toEqual([]);
    peer.send('JOB_ASSIGN_UNIQ H:3·reverse··');
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ']);
    peer.send('NO_JOB');
    expect(await said(peer)).toEqual(['PRE_SLEEP']);
    expect(jobs.length).toBe(3);
  });

  it('looks by itself now and then: gearmand wakes nobody for a job whose time has come', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const { peer } = await pulling(echo, { pollInterval: 1_000 });
    await peer.next();
    peer.send('NO_JOB');
    expect(await peer.next()).toBe('PRE_SLEEP');
    jest.advanceTimersByTime(1_000);
    expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
  });

  it('falls back to GRAB_JOB at a job server that knows no other, whose jobs end on WORK_FAIL only', async () => {
    const { peer } = await pulling(() => Promise.reject(new WorkException('why')), { reducers: true });
    expect(await peer.next()).toBe('GRAB_JOB_ALL');
    peer.send('ERROR server_error·unknown');
    expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
    peer.send('ERROR server_error·unknown');
    expect(await peer.next()).toBe('GRAB_JOB');
    peer.send('JOB_ASSIGN H:1·reverse·x');
    expect(await peer.nextOnes(2)).toEqual(['WORK_EXCEPTION H:1·why', 'WORK_FAIL H:1']);
  });

  it('sleeps when a job server refuses every grab, and says so', async () => {
    const { worker, peer } = await pulling(echo);
    const errors: string[] = [];
    worker.on('error', (error) => errors.push(error.message));
    for (const grab of ['GRAB_JOB_UNIQ', 'GRAB_JOB']) {
      expect(await peer.next()).toBe(grab);
      peer.send('ERROR FORBIDDEN·not you');
    }
    expect(await peer.next()).toBe('PRE_SLEEP');
    expect(errors).toEqual(['the job server a refused: FORBIDDEN: not you']);
  });

  it('does not take the refusal of a late result for that of a grab', async () => {
    const { worker, peer } = await pulling(echo);
    const errors: string[] = [];
    worker.on('error', (error) => errors.push(error.message));
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await peer.nextOnes(2);
    peer.send('ERROR JOB_NOT_FOUND·Job given in work result not found', 'NO_JOB');
    expect(await peer.next()).toBe('PRE_SLEEP');
    expect(errors).toEqual([expect.stringContaining('JOB_NOT_FOUND')]);
  });
});

describe('with several job servers', () => {
  async function pullingFromTwo(handler: JobHandler, concurrency: number) {
    const { worker, servers } = workerOf(['a', 'b'], { concurrency });
    worker.register('reverse', handler);
    const starting = worker.start();
    const [a, b] = await Promise.all(servers.map((server) => server.welcome()));
    await starting;
    await turnsUntil('both are connected', () => worker.connectedServers.length === 2);
    return { worker, a: a!, b: b! };
  }

  it('it pulls, so that every slot is open to each', async () => {
    const { a, b } = await pullingFromTwo(echo, 3);
    expect([...a.packets, ...b.packets]).not.toContain('ALL_YOURS');
    expect(await said(a.peer)).toEqual(['GRAB_JOB_UNIQ']);
    expect(await said(b.peer)).toEqual(['GRAB_JOB_UNIQ']);
  });

  it('its slots are bounded over all, and each gets its turn', async () => {
    const { jobs, handler } = held();
    const { worker, a, b } = await pullingFromTwo(handler, 2);
    await settled();
    a.peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    b.peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await turnsUntil('both run', () => jobs.length === 2);
    expect(worker.runningJobs).toBe(2);
    expect(await said(a.peer)).toEqual(['GRAB_JOB_UNIQ']);
    expect(await said(b.peer)).toEqual(['GRAB_JOB_UNIQ']);
    jobs[0]!.finish();
    jobs[1]!.finish();
    const grabs = [...(await said(a.peer)), ...(await said(b.peer))];
    expect(grabs.filter((packet) => packet === 'GRAB_JOB_UNIQ').length).toBe(2);
    expect(jobs.map(({ job }) => job.server).sort()).toEqual(['a', 'b']);
  });

  it('one that is lost leaves its slots to the others', async () => {
    const { a, b } = await pullingFromTwo(echo, 2);
    expect(await said(b.peer)).toEqual(['GRAB_JOB_UNIQ']);
    b.peer.send('NO_JOB');
    expect(await said(b.peer)).toEqual(['PRE_SLEEP']);
    a.peer.destroy();
    await settled();
    b.peer.send('NOOP');
    expect(await said(b.peer)).toEqual(['GRAB_JOB_UNIQ']);
  });
});

describe('pushed to', () => {
  it('keeps a grab open for every free slot', async () => {
    const { jobs, handler } = held();
    const { peer } = await pushed(handler, { concurrency: 3 });
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ']);
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··', 'JOB_ASSIGN_UNIQ H:2·reverse··');
    expect(await said(peer)).toEqual([]);
    jobs[1]!.finish('b');
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:2·b', 'GRAB_JOB_UNIQ']);
  });

  it('pulls from a job server that refuses ALL_YOURS', async () => {
    const { worker, server } = workerOf(['a'], { concurrency: 3 });
    worker.register('reverse', echo);
    const starting = worker.start();
    const { peer } = await server.welcome(REFUSED);
    await starting;
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ']);
  });

  it('pulls when a grab is answered with NO_JOB after all', async () => {
    const { peer } = await pushed(echo);
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ']);
    peer.send('NO_JOB', 'NO_JOB');
    expect(await said(peer)).toEqual(['PRE_SLEEP']);
    peer.send('NOOP');
    expect(await said(peer)).toEqual(['GRAB_JOB_UNIQ']);
  });

  it('asks again after a lost connection whether it may be pushed to', async () => {
    const { server, peer } = await pushed(echo);
    peer.send('NO_JOB');
    await settled();
    peer.destroy();
    const again = await server.welcome();
    expect(again.packets).toEqual([
      'OPTION_REQ clean-exceptions',
      'OPTION_REQ attempts',
      'OPTION_REQ withdrawals',
      'OPTION_REQ metadata',
      'CAN_DO reverse',
      'ALL_YOURS',
    ]);
    expect(await said(again.peer)).toEqual(['GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ']);
  });
});
