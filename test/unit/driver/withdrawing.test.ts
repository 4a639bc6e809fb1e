import { describe, expect, it } from '@jest/globals';
import { clientOf, job, recorder, said } from './clients.js';
import { pulling } from './workers.js';
import { settled } from '../../support/turns.js';

/** A client of a job server that takes waits back, and the other end. */
async function understood(options: { withdraw?: boolean } = {}, ...answers: string[]) {
  const { client, server } = clientOf(['a'], options);
  const connecting = client.connect();
  const { peer, packets } = await server.welcome('OPTION_RES exceptions', ...answers);
  await connecting;
  return { client, server, peer, packets };
}

const TAKES_BACK = 'OPTION_RES withdrawals';

describe('a submission that is forgotten', () => {
  it('is taken back where the job server can do that', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    const submission = client.submit(job(), recorder().observer);
    await peer.next();
    peer.send('JOB_CREATED H:1');
    await settled();
    submission.forget();
    submission.forget();
    expect(await said(client, peer)).toEqual(['OPTION_REQ withdraw=H:1']);
  });

  it('is taken back once it is accepted, if it was on its way', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    client.submit(job(), recorder().observer).forget();
    const sent = client.submit(job(), recorder().observer);
    expect(await peer.next()).toBe('SUBMIT_JOB reverse··x');
    sent.forget();
    peer.send('JOB_CREATED H:1', 'JOB_CREATED H:2');
    expect((await said(client, peer)).filter((packet) => packet.startsWith('OPTION'))).toEqual([
      'OPTION_REQ withdraw=H:1',
      'OPTION_REQ withdraw=H:2',
    ]);
  });

  it.each([
    ['to a job server that knows nothing of it', {}, []],
    ['with `withdraw: false`', { withdraw: false }, []],
  ])('is not taken back %s', async (_, options, answers) => {
    const { client, peer, packets } = await understood(options, ...answers);
    expect(packets.includes('OPTION_REQ withdrawals')).toBe(!('withdraw' in options));
    const submission = client.submit(job(), recorder().observer);
    await peer.next();
    peer.send('JOB_CREATED H:1');
    await settled();
    submission.forget();
    expect(await said(client, peer)).toEqual([]);
  });

  it('is taken back once, also when it is forgotten as it is accepted', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    const submission = client.submit(job(), { ...recorder().observer, created: () => submission.forget() });
    await peer.next();
    peer.send('JOB_CREATED H:1');
    await settled();
    expect(await said(client, peer)).toEqual(['OPTION_REQ withdraw=H:1']);
  });

  it('is not taken back when it has ended, nor in the background', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    const ended = recorder();
    const submission = client.submit(job(), ended.observer);
    await peer.next();
    peer.send('JOB_CREATED H:1', 'WORK_COMPLETE H:1·done');
    await settled();
    submission.forget();
    expect(ended.heard.at(-1)).toBe('complete done');
    expect(await said(client, peer)).toEqual([]);
  });

  it('leaves the others of its job their packets, before and after the job server has heard of it', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    const [one, two, three] = [recorder(), recorder(), recorder()];
    const submissions = [one, two, three].map(({ observer }) => client.submit(job('x', { unique: 'u' }), observer));
    await peer.nextOnes(3);
    peer.send('JOB_CREATED H:1', 'JOB_CREATED H:1', 'JOB_CREATED H:1');
    await settled();
    submissions[1]!.forget();
    // Three copies were on their way, and two come when it is known.
    peer.send('WORK_DATA H:1·a', 'WORK_DATA H:1·a', 'WORK_DATA H:1·a', 'OPTION_RES withdraw=H:1');
    peer.send('WORK_DATA H:1·b', 'WORK_DATA H:1·b', 'WORK_COMPLETE H:1·done', 'WORK_COMPLETE H:1·done');
    await settled();
    const all = ['created H:1 on a', 'data a', 'data b', 'complete done'];
    expect([one.heard, two.heard, three.heard]).toEqual([all, ['created H:1 on a'], all]);
  });

  it('crosses with the end of its job: the answer that comes after it harms nobody', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    const [one, two] = [recorder(), recorder()];
    const first = client.submit(job('x', { unique: 'u' }), one.observer);
    await peer.next();
    peer.send('JOB_CREATED H:1');
    await settled();
    first.forget();
    client.submit(job('x', { unique: 'u' }), two.observer);
    peer.send('WORK_COMPLETE H:1·done', 'OPTION_RES withdraw=H:1', 'JOB_CREATED H:2', 'WORK_COMPLETE H:2·again');
    await settled();
    expect([one.heard, two.heard]).toEqual([['created H:1 on a'], ['created H:2 on a', 'complete again']]);
  });

  it('makes room for one that joins the same job after it', async () => {
    const { client, peer } = await understood({}, TAKES_BACK);
    const [one, two] = [recorder(), recorder()];
    const first = client.submit(job('x', { unique: 'u' }), one.observer);
    await peer.next();
    peer.send('JOB_CREATED H:1');
    await settled();
    first.forget();
    client.submit(job('x', { unique: 'u' }), two.observer);
    peer.send(
      'WORK_DATA H:1·a',
      'OPTION_RES withdraw=H:1',
      'JOB_CREATED H:1',
      'WORK_DATA H:1·b',
      'WORK_COMPLETE H:1·c',
    );
    await settled();
    expect(two.heard).toEqual(['created H:1 on a', 'data b', 'complete c']);
  });

  it('is forgotten with its job server: it is neither submitted nor taken back again', async () => {
    const { client, server, peer } = await understood({}, TAKES_BACK);
    const [one, two] = [recorder(), recorder()];
    const [first, second] = [one, two].map(({ observer }) => client.submit(job('x', { unique: 'u' }), observer));
    await peer.nextOnes(2);
    peer.send('JOB_CREATED H:1', 'JOB_CREATED H:1');
    await settled();
    first!.forget();
    peer.destroy();
    await settled();
    const { peer: again } = await server.welcome(TAKES_BACK);
    expect(await again.next()).toBe('SUBMIT_JOB reverse·u·x');
    // Given up on its way to the other job server: taken back once, when that has accepted it.
    second!.forget();
    again.send('JOB_CREATED H:2');
    await settled();
    expect(await said(client, again)).toEqual(['OPTION_REQ withdraw=H:2']);
  });
});

describe('a running job that nobody waits for any more', () => {
  it('aborts its signal with a reason that says so, and goes on', async () => {
    let reason: unknown;
    const { peer } = await pulling(
      (assigned) =>
        new Promise((resolve) => {
          assigned.signal.addEventListener('abort', () => {
            reason = assigned.signal.reason;
            assigned.data('still here');
            resolve('done');
          });
        }),
      {},
      'OPTION_RES withdrawals',
    );
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··', 'OPTION_RES withdrawn=H:2', 'OPTION_RES withdrawn=H:1');
    expect(await peer.nextOnes(2)).toEqual(['WORK_DATA H:1·still here', 'WORK_COMPLETE H:1·done']);
    expect(reason).toMatchObject({
      code: 'GEARMAN_JOB_ABANDONED',
      message: 'nobody waits for the job H:1 of reverse any more',
    });
  });

  it('fails without a fuss when its handler stops', async () => {
    const { peer, worker } = await pulling(
      (assigned) =>
        new Promise((_, reject) => {
          assigned.signal.addEventListener('abort', () => reject(assigned.signal.reason as Error));
        }),
      {},
      'OPTION_RES withdrawals',
    );
    const errors: unknown[] = [];
    worker.on('error', (error) => errors.push(error));
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··', 'OPTION_RES withdrawn=H:1');
    expect(await peer.next()).toBe('WORK_FAIL H:1');
    peer.send('OPTION_RES withdrawn=H:1');
    await settled();
    expect(errors).toEqual([]);
  });
});
