import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { startFront, submit, type FrontScene } from '../../../support/front.js';
import { CLOSED } from '../../../support/raw-peer.js';
import { turnsUntil } from '../../../support/turns.js';

const JOBS = 40_000;

/** A job server with 40,000 background jobs of f, whose uniques are u1 to u40000. */
async function crowded(): Promise<FrontScene> {
  const front = await startFront({ maxSendBufferBytes: 16 * 1024 * 1024 });
  for (let index = 1; index <= JOBS; index++) {
    coreOf(front.server).engine.submit({
      function: 'f',
      unique: `u${index}`,
      workload: '',
      priority: 1,
      isBackground: true,
      at: 0,
    });
  }
  return front;
}

/** `u1` to `u40000`, a line each, and the end: ".". */
const LIST_BYTES = 9 * 3 + 90 * 4 + 900 * 5 + 9_000 * 6 + 30_001 * 7 + 2;

const front = await crowded();

describe('a list of 40,000 jobs', () => {
  it('is complete and in order', async () => {
    const admin = front.peer();
    admin.sendText('show unique jobs\n');
    const lines = await admin.list();
    expect(lines.length).toBe(JOBS + 1);
    expect([lines[0], lines[JOBS - 1], lines[JOBS]]).toEqual(['u1\n', `u${JOBS}\n`, '.\n']);
  });

  it('holds up nobody: others are answered in between', async () => {
    const [admin, other] = [front.peer(), front.peer()];
    let isListed = false;
    admin.sendText('show jobs\n');
    const listed = admin.list().then(() => (isListed = true));
    let echoes = 0;
    while (!isListed && echoes < 10_000) {
      await other.untilEcho(`echo ${echoes}`);
      if (!isListed) echoes++;
    }
    await listed;
    // At least 1.2 MB in pieces of 64 KiB, and a turn for the others behind each.
    expect(echoes).toBeGreaterThan(10);
  });

  it('is followed by what was asked behind it, and not earlier', async () => {
    const admin = front.peer();
    admin.sendText('show jobs\nversion\nshow unique jobs\n');
    expect((await admin.list()).length).toBe(JOBS + 1);
    expect(await admin.next()).toMatch(/^OK /);
    expect((await admin.list()).length).toBe(JOBS + 1);
  });

  it('is complete for who ends its side at once', async () => {
    const admin = front.peer();
    admin.sendText('show jobs\n');
    admin.end();
    expect((await admin.list()).length).toBe(JOBS + 1);
    expect(await admin.next()).toBe(CLOSED);
  });

  it('leaves in one go: gearadmin takes a pause of 5 ms for its end', async () => {
    const admin = front.peer();
    admin.stream.pause();
    admin.sendText('show unique jobs\n');
    const [session] = [...coreOf(front.server).sessions].slice(-1);
    const sizes = new Set<number>();
    await turnsUntil('it leaves', () => sizes.add(session!.connection.bufferedBytes).has(LIST_BYTES));
    expect([...sizes]).toEqual([0, LIST_BYTES]);
    admin.stream.resume();
    expect((await admin.list()).length).toBe(JOBS + 1);
  });

  it('is given up when its reader leaves', async () => {
    const admin = front.peer();
    admin.stream.pause();
    admin.sendText('show jobs\n');
    const [session] = [...coreOf(front.server).sessions].slice(-1);
    await nextTurn();
    admin.destroy();
    await session!.connection.whenClosed;
    expect(coreOf(front.server).sessions).not.toContain(session);
  });

  it('goes on while jobs come and go', async () => {
    const [admin, worker] = [front.peer(), front.peer()];
    admin.stream.pause();
    admin.sendText('show unique jobs\n');
    worker.send('CAN_DO f', 'GRAB_JOB');
    const assigned = await worker.next();
    const gone = /^JOB_ASSIGN (\S+?)·/.exec(assigned)![1]!;
    worker.send(`WORK_COMPLETE ${gone}·`);
    await worker.untilEcho();
    await submit(worker, 'SUBMIT_JOB_BG f·new·');
    admin.stream.resume();
    const lines = await admin.list();
    expect(lines).not.toContain('new\n');
    expect(lines.length).toBeGreaterThan(JOBS - 1);
  });

  it('does not let what its reader is told meanwhile pile up without end', async () => {
    const greedy = front.peer();
    const worker = front.peer();
    const handle = await submit(greedy, 'SUBMIT_JOB g··');
    worker.send('CAN_DO g', 'GRAB_JOB');
    await worker.next();
    greedy.stream.pause();
    greedy.sendText('show jobs\n');
    await worker.untilEcho();
    const data = `WORK_DATA ${handle}·${'x'.repeat(1024 * 1024)}`;
    const isOpen = (): boolean => [...coreOf(front.server).sessions].some(({ peer }) => peer.waitsFor.size > 0);
    for (let megabytes = 0; megabytes < 40 && isOpen(); megabytes++) {
      worker.send(data);
      await worker.untilEcho();
    }
    expect(isOpen()).toBe(false);
    expect(front.log.join('\n')).toContain('maxSendBufferBytes');
  });
});

it('a list too long for one go waits for a reader that does not read, without being made further', async () => {
  const megabyte = 1024 * 1024;
  const { server, peer } = await startFront({ maxSendBufferBytes: 4 * megabyte });
  for (let index = 0; index < 3_300; index++) coreOf(server).engine.createFunction(`${'f'.repeat(900)}${index}`);
  const admin = peer();
  admin.stream.pause();
  admin.sendText('status\n');
  const [session] = coreOf(server).sessions;
  const buffered = async (): Promise<number> => {
    for (let turn = 0; turn < 200; turn++) await nextTurn();
    return session!.connection.bufferedBytes;
  };
  const before = await buffered();
  expect(before).toBeGreaterThan(2 * megabyte);
  expect(before).toBeLessThan(2.5 * megabyte);
  expect(await buffered()).toBe(before);
  admin.stream.resume();
  expect((await admin.list()).length).toBe(3_301);
});
