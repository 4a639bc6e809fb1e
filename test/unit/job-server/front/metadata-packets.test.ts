import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { startFront, submit, type FrontScene } from '../../../support/front.js';
import type { RawPeer } from '../../../support/raw-peer.js';

const front = await startFront();
const stored = await startFront({ storage: new MemoryStorage() });
const MARKED = '·NGMETA1···\x02{}and more';

async function agreed(scene: FrontScene): Promise<RawPeer> {
  const peer = scene.peer();
  peer.send('OPTION_REQ metadata');
  expect(await peer.next()).toBe('OPTION_RES metadata');
  return peer;
}

/** Submits with metadata, and returns the handle. */
function traced(client: RawPeer, json: string, packet: string): Promise<string> {
  client.send(`OPTION_REQ metadata=${json}`);
  return submit(client, packet);
}

describe.each([
  ['without a storage', front, 'SUBMIT_JOB'],
  ['with one', stored, 'SUBMIT_JOB_BG'],
])('OPTION_REQ metadata, %s', (_, scene, SUBMIT) => {
  it('is handed to workers that asked, ahead of the assignment, and to no others', async () => {
    const [client, asking, foreign] = [await agreed(scene), await agreed(scene), scene.peer()];
    const handles = [
      await traced(client, '{"n":"1"}', `${SUBMIT} f1··a`),
      await traced(client, '{"n":"2"}', `${SUBMIT} f1··b`),
    ];
    asking.send('CAN_DO f1', 'GRAB_JOB');
    expect(await asking.nextOnes(2)).toEqual(['OPTION_RES metadata={"n":"1"}', `JOB_ASSIGN ${handles[0]}·f1·a`]);
    foreign.send('CAN_DO f1', 'GRAB_JOB_UNIQ');
    expect(await foreign.next()).toBe(`JOB_ASSIGN_UNIQ ${handles[1]}·f1··b`);
  });

  it('is for one submission', async () => {
    const [client, asking] = [await agreed(scene), await agreed(scene)];
    await traced(client, '{}', `${SUBMIT} f2··a`);
    const bare = await submit(client, `${SUBMIT} f2··b`);
    asking.send('CAN_DO f2', 'GRAB_JOB', 'GRAB_JOB');
    expect((await asking.nextOnes(3)).at(-1)).toBe(`JOB_ASSIGN ${bare}·f2·b`);
  });

  it('is no part of what jobs coalesce by', async () => {
    const client = await agreed(scene);
    const first = await traced(client, '{"n":"1"}', `${SUBMIT} f3·-·same`);
    expect(await traced(client, '{"n":"2"}', `${SUBMIT} f3·-·same`)).toBe(first);
    expect(await submit(scene.peer(), `${SUBMIT} f3·-·same`)).toBe(first);
  });

  it('leaves the bytes of a workload alone, whatever they begin with', async () => {
    const [asking, foreign] = [await agreed(scene), scene.peer()];
    const handle = await submit(scene.peer(), `${SUBMIT} f4··${MARKED}`);
    const other = await traced(await agreed(scene), '{}', `${SUBMIT} f4··${MARKED}`);
    asking.send('CAN_DO f4', 'GRAB_JOB');
    expect(await asking.next()).toBe(`JOB_ASSIGN ${handle}·f4·${MARKED}`);
    foreign.send('CAN_DO f4', 'GRAB_JOB');
    expect(await foreign.next()).toBe(`JOB_ASSIGN ${other}·f4·${MARKED}`);
  });

  it('is seen in no size, search or preview', async () => {
    const handle = await traced(await agreed(scene), '{"secret":"needle"}', `${SUBMIT} f5··work`);
    expect(await scene.server.operations.workload(handle)).toEqual({ bytes: Buffer.from('work'), size: 4 });
    const found: string[] = [];
    for (const contains of ['needle', 'work']) {
      for await (const { jobs } of scene.server.operations.findJobs({ function: 'f5', contains })) {
        found.push(...jobs.map(({ handle: each, size }) => `${contains} ${each} ${size}`));
      }
    }
    expect(found).toEqual([`work ${handle} 4`]);
  });
});

describe('metadata of a stored job', () => {
  it('comes back from storage beside a reducer, and without one', async () => {
    const storage = new MemoryStorage();
    const before = await startFront({ storage });
    const client = await agreed(before);
    const json = '{"n":"\xc3\xbc"}';
    const handles = [
      await traced(client, json, 'SUBMIT_JOB_BG f··a'),
      await traced(client, json, 'SUBMIT_REDUCE_JOB_BACKGROUND f··sum·b'),
      await submit(client, 'SUBMIT_REDUCE_JOB_BACKGROUND f··sum·c'),
    ];
    await before.server.stop();
    const after = await startFront({ storage });
    const worker = await agreed(after);
    worker.send('CAN_DO f', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB_ALL', 'GRAB_JOB_ALL', 'GRAB_JOB_ALL');
    expect(await worker.nextOnes(5)).toEqual([
      `OPTION_RES metadata=${json}`,
      `JOB_ASSIGN_UNIQ ${handles[0]}·f··a`,
      `OPTION_RES metadata=${json}`,
      `JOB_ASSIGN_ALL ${handles[1]}·f··sum·b`,
      `JOB_ASSIGN_ALL ${handles[2]}·f··sum·c`,
    ]);
  });
});

describe('metadata is refused', () => {
  it('from who did not agree', async () => {
    const client = front.peer();
    client.send('OPTION_REQ metadata={}');
    expect(await client.next()).toBe('ERROR UNKNOWN_OPTION·Server does not recognize given option');
  });

  it('past 8 KiB, and the submission goes on without', async () => {
    const [client, worker] = [await agreed(front), await agreed(front)];
    client.send(`OPTION_REQ metadata=${'x'.repeat(8 * 1024 + 1)}`);
    expect(await client.next()).toBe('ERROR INVALID_ARGUMENT·Metadata has at most 8192 bytes');
    const handle = await submit(client, 'SUBMIT_JOB f6··a');
    worker.send('CAN_DO f6', 'GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f6·a`);
  });

  it('with the submission it was for', async () => {
    const [client, worker] = [await agreed(front), await agreed(front)];
    client.send('OPTION_REQ metadata={}', 'SUBMIT_JOB_EPOCH f7··soon·a');
    expect(await client.next()).toMatch(/^ERROR INVALID_ARGUMENT/);
    const handle = await submit(client, 'SUBMIT_JOB f7··b');
    worker.send('CAN_DO f7', 'GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f7·b`);
  });
});
