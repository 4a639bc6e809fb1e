import { describe, expect, it } from '@jest/globals';
import { settled } from '../../support/turns.js';
import { connected, job, submit } from './clients.js';

describe('submissions that coalesce on one connection', () => {
  /** `count` submissions with one handle, each packet of which comes once for each of them. */
  async function coalesced(count: number) {
    const { client, peer } = await connected();
    const join = () => submit(client, job('x', { unique: 'u' }));
    const all = Array.from({ length: count }, join);
    await peer.nextOnes(count);
    peer.send(...all.map(() => 'JOB_CREATED H:1'));
    const sendEach = (packet: string, copies: number) => {
      for (let copy = 0; copy < copies; copy++) peer.send(packet);
    };
    return { client, peer, all, join, sendEach };
  }

  it('each hear every packet once', async () => {
    const { all, sendEach } = await coalesced(3);
    for (const packet of ['WORK_DATA H:1·a', 'WORK_DATA H:1·b', 'WORK_STATUS H:1·1·2', 'WORK_COMPLETE H:1·c']) {
      sendEach(packet, 3);
    }
    await settled();
    for (const { heard } of all) {
      expect(heard).toEqual(['created H:1 on a', 'data a', 'data b', 'status 1/2', 'complete c']);
    }
  });

  it('hear what follows when they join late', async () => {
    const { peer, all, join, sendEach } = await coalesced(2);
    sendEach('WORK_DATA H:1·a', 2);
    await settled();
    const late = join();
    await peer.next();
    peer.send('JOB_CREATED H:1');
    sendEach('WORK_DATA H:1·b', 3);
    sendEach('WORK_COMPLETE H:1·c', 3);
    await settled();
    for (const { heard } of all) expect(heard).toEqual(['created H:1 on a', 'data a', 'data b', 'complete c']);
    expect(late.heard).toEqual(['created H:1 on a', 'data b', 'complete c']);
  });

  it('are each failed once', async () => {
    const { all, sendEach } = await coalesced(2);
    sendEach('WORK_EXCEPTION H:1·why', 2);
    await settled();
    for (const { heard } of all) {
      expect(heard).toEqual(['created H:1 on a', 'fail GEARMAN_JOB_EXCEPTION: the job H:1 of reverse failed: why']);
    }
  });

  it('keep their place when they are forgotten, since the job server goes on sending their share', async () => {
    const { all, sendEach } = await coalesced(3);
    all[1]!.submission.forget();
    sendEach('WORK_DATA H:1·a', 3);
    sendEach('WORK_COMPLETE H:1·b', 3);
    await settled();
    expect(all.map(({ heard }) => heard.slice(1))).toEqual([['data a', 'complete b'], [], ['data a', 'complete b']]);
  });

  it('are a new job once the old one has ended', async () => {
    const { peer, all, join, sendEach } = await coalesced(1);
    sendEach('WORK_COMPLETE H:1·a', 1);
    await settled();
    const next = join();
    await peer.next();
    peer.send('JOB_CREATED H:2', 'WORK_COMPLETE H:2·b');
    await settled();
    expect(all[0]!.heard.at(-1)).toBe('complete a');
    expect(next.heard).toEqual(['created H:2 on a', 'complete b']);
  });

  it('do not count those in the background, whom nothing is sent for', async () => {
    const { client, peer, all, sendEach } = await coalesced(1);
    const background = client.submitBackground(job('x', { unique: 'u' }));
    await peer.next();
    peer.send('JOB_CREATED H:1');
    await background;
    sendEach('WORK_DATA H:1·a', 1);
    sendEach('WORK_COMPLETE H:1·b', 1);
    await settled();
    expect(all[0]!.heard).toEqual(['created H:1 on a', 'data a', 'complete b']);
  });
});
