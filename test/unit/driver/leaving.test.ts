import { describe, expect, it } from '@jest/globals';
import { CLOSED } from '../../support/raw-peer.js';
import { settled, turnsUntil } from '../../support/turns.js';
import { echo, held, pulling, pushed, said, workerOf } from './workers.js';

describe('leaving', () => {
  const FAREWELL = '·nestjs-gearman farewell';

  it('takes no more jobs, runs what open grabs bring, and goes when the job server has every result', async () => {
    const { jobs, handler } = held();
    const { worker, peer } = await pulling(handler, { concurrency: 2 });
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await peer.next();
    let isLeft = false;
    const leaving = worker.close().then(() => (isLeft = true));
    peer.send('JOB_ASSIGN_UNIQ H:2·reverse··');
    await turnsUntil('both run', () => jobs.length === 2);
    jobs[0]!.finish('a');
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:1·a']);
    jobs[1]!.finish('b');
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:2·b', `ECHO_REQ ${FAREWELL}`]);
    expect(isLeft).toBe(false);
    peer.send(`ECHO_RES ${FAREWELL}`);
    await leaving;
    expect(await peer.next()).toBe(CLOSED);
  });

  it('goes at once when it sleeps', async () => {
    const { worker, peer } = await pulling(echo);
    await peer.next();
    peer.send('NO_JOB');
    await peer.next();
    const leaving = worker.close();
    expect(await peer.next()).toBe(`ECHO_REQ ${FAREWELL}`);
    peer.send('NOOP', `ECHO_RES ${FAREWELL}`);
    await leaving;
    expect(await peer.next()).toBe(CLOSED);
  });

  it('takes kept grabs back from a job server that pushes', async () => {
    const { jobs, handler } = held();
    const { worker, peer } = await pushed(handler, { concurrency: 3 });
    await said(peer);
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await settled();
    const leaving = worker.close();
    expect(await said(peer)).toEqual(['RESET_ABILITIES']);
    peer.send('NO_JOB', 'NO_JOB');
    expect(await said(peer)).toEqual([]);
    jobs[0]!.finish('a');
    expect(await said(peer)).toEqual(['WORK_COMPLETE H:1·a', `ECHO_REQ ${FAREWELL}`]);
    peer.send(`ECHO_RES ${FAREWELL}`);
    await leaving;
  });

  it('aborts what has not finished after the grace period, and leaves it to others', async () => {
    const { jobs, handler } = held();
    const { worker, peer } = await pulling(handler, { concurrency: 2 });
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await peer.next();
    peer.send('NO_JOB');
    expect(await peer.next()).toBe('PRE_SLEEP');
    await worker.close({ gracePeriod: 5 });
    expect(jobs[0]!.job.signal.reason).toMatchObject({ code: 'GEARMAN_CLOSED' });
    jobs[0]!.finish('too late');
    expect(await peer.next()).toBe(CLOSED);
  });

  it('waits for handlers whose connection is lost, as long as the grace period', async () => {
    const { jobs, handler } = held();
    const { worker, server, peer } = await pulling(handler);
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await turnsUntil('it runs', () => jobs.length === 1);
    server.isDown = true;
    peer.destroy();
    await turnsUntil('it is lost', () => worker.connectedServers.length === 0);
    let isLeft = false;
    const leaving = worker.close().then(() => (isLeft = true));
    await settled();
    expect(isLeft).toBe(false);
    jobs[0]!.finish();
    await leaving;
  });

  it('is over when the connection is lost meanwhile', async () => {
    const { worker, peer } = await pulling(echo);
    await peer.next();
    const leaving = worker.close();
    peer.destroy();
    await leaving;
  });

  it('before it has started is nothing', async () => {
    const { worker } = workerOf(['a']);
    await worker.close();
    expect(() => worker.register('f', echo)).toThrow('the worker was closed');
    await expect(worker.start()).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' });
  });
});
