import { describe, expect, it } from '@jest/globals';
import { CLOSED, type RawPeer } from '../../support/raw-peer.js';
import { settled } from '../../support/turns.js';
import { clientOf, connected, connectedToTwo, job, said, submit } from './clients.js';

describe('a background submission that a job server refuses', () => {
  it('goes to the next, ahead of what was submitted after it', async () => {
    const { client, a, b } = await connectedToTwo();
    const refused = client.submitBackground(job('1'));
    await a.next();
    a.send('ERROR QUEUE_ERROR·the database cannot be reached');
    expect(await b.next()).toBe('SUBMIT_JOB_BG reverse··1');
    b.send('JOB_CREATED H:7');
    expect(await refused).toEqual({ handle: 'H:7', server: 'b' });
  });

  it.each(['failover', 'round-robin', 'hash'] as const)('fails by %s once all have refused it', async (choose) => {
    const { client, a, b } = await connectedToTwo({ choose });
    const asked: string[] = [];
    let isFull = true;
    const serve = async (name: string, peer: RawPeer): Promise<void> => {
      for (let packet = await peer.next(); packet !== CLOSED; packet = await peer.next()) {
        asked.push(`${name}: ${packet}`);
        peer.send(isFull ? `ERROR QUEUE_ERROR·full at ${name}` : 'JOB_CREATED H:9');
      }
    };
    void serve('a', a);
    void serve('b', b);
    const refused = client.submitBackground(job('1', { unique: 'u' }));
    await expect(refused).rejects.toThrow(/^the job server [ab] refused: QUEUE_ERROR: full at [ab]$/);
    expect(asked.sort()).toEqual(['a: SUBMIT_JOB_BG reverse·u·1', 'b: SUBMIT_JOB_BG reverse·u·1']);
    isFull = false;
    // What comes next may be taken by any again.
    expect(await client.submitBackground(job('2', { unique: 'u' }))).toMatchObject({ handle: 'H:9' });
  });

  it('fails where the others are not connected', async () => {
    const { client, servers } = clientOf(['a', 'b']);
    servers[1]!.isDown = true;
    const refused = client.submitBackground(job('1'));
    const { peer } = await servers[0]!.welcome();
    await peer.next();
    peer.send('ERROR QUEUE_ERROR·full');
    await expect(refused).rejects.toMatchObject({ server: 'a', serverCode: 'QUEUE_ERROR' });
  });

  it('comes back to the first where the next is lost before it could take it', async () => {
    const { client, a, b } = await connectedToTwo();
    const submitted = client.submitBackground(job('1'));
    await a.next();
    a.send('ERROR QUEUE_ERROR·full');
    await b.next();
    b.destroy();
    expect(await a.next()).toBe('SUBMIT_JOB_BG reverse··1');
    a.send('JOB_CREATED H:3');
    expect(await submitted).toEqual({ handle: 'H:3', server: 'a' });
  });

  it('fails at once where the request is at fault', async () => {
    const { client, a } = await connectedToTwo();
    const refused = client.submitBackground(job('1'));
    await a.next();
    a.send('ERROR INVALID_FUNCTION_NAME·hm');
    await expect(refused).rejects.toMatchObject({ server: 'a', serverCode: 'INVALID_FUNCTION_NAME' });
    expect(await said(client, a)).toEqual([]);
  });
});

describe('a foreground submission that a job server refuses', () => {
  it('fails where the queue is full', async () => {
    const { client, a } = await connectedToTwo();
    const { heard } = submit(client, job('1'));
    await a.next();
    a.send('ERROR QUEUE_ERROR·Job queue is full');
    await settled();
    expect(heard).toEqual([expect.stringContaining('QUEUE_ERROR: Job queue is full')]);
  });

  it('goes to the next where the job server ends', async () => {
    const { client, a, b } = await connectedToTwo();
    const { heard } = submit(client, job('1', { resubmit: false }));
    await a.next();
    a.send('ERROR SHUTTING_DOWN·This job server is ending; submit to another one');
    expect(await b.next()).toBe('SUBMIT_JOB reverse··1');
    b.send('JOB_CREATED H:7', 'WORK_COMPLETE H:7·done');
    await settled();
    expect(heard).toEqual(['created H:7 on b', 'complete done']);
  });

  it('is not sent to the next when nobody waits for it any more', async () => {
    const { client, peer } = await connected();
    const { heard, submission } = submit(client, job('1'));
    await peer.next();
    submission.forget();
    peer.send('ERROR SHUTTING_DOWN·This job server is ending; submit to another one');
    expect(await said(client, peer)).toEqual([]);
    expect(heard).toEqual([]);
  });
});
