import { describe, expect, it } from '@jest/globals';
import { startFront, submit } from '../../../support/front.js';

const front = await startFront();

describe('worker packets', () => {
  it('CAN_DO, GRAB_JOB, WORK_COMPLETE: a job is done', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const handle = await submit(client, 'SUBMIT_JOB f1·u·work');
    worker.send('CAN_DO f1', 'GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f1·work`);
    worker.send(`WORK_COMPLETE ${handle}·done·and done`);
    expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·done·and done`);
  });

  it('GRAB_JOB_UNIQ tells the unique', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const handle = await submit(client, 'SUBMIT_JOB f2·unique·work');
    worker.send('CAN_DO f2', 'GRAB_JOB_UNIQ');
    expect(await worker.next()).toBe(`JOB_ASSIGN_UNIQ ${handle}·f2·unique·work`);
  });

  it('GRAB_JOB_ALL tells the reducer, and is JOB_ASSIGN_UNIQ without one', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const reduced = await submit(client, 'SUBMIT_REDUCE_JOB f3·u1·sum·work');
    const plain = await submit(client, 'SUBMIT_JOB f3·u2·work');
    worker.send('CAN_DO f3', 'GRAB_JOB_ALL', 'GRAB_JOB_ALL');
    expect(await worker.nextOnes(2)).toEqual([
      `JOB_ASSIGN_ALL ${reduced}·f3·u1·sum·work`,
      `JOB_ASSIGN_UNIQ ${plain}·f3·u2·work`,
    ]);
  });

  it('OPTION_REQ attempts: an assignment that is not the first says so ahead, to who asked', async () => {
    const [client, asking] = [front.peer(), front.peer()];
    const handle = await submit(client, 'SUBMIT_JOB f20·u·work');
    for (const kind of ['GRAB_JOB', 'GRAB_JOB_UNIQ']) {
      const lost = front.peer();
      lost.send('CAN_DO f20', 'PRE_SLEEP');
      expect(await lost.next()).toBe('NOOP');
      lost.send(kind);
      expect(await lost.next()).toMatch(/^JOB_ASSIGN/);
      lost.destroy();
    }
    asking.send('OPTION_REQ attempts', 'CAN_DO f20', 'PRE_SLEEP');
    expect(await asking.nextOnes(2)).toEqual(['OPTION_RES attempts', 'NOOP']);
    asking.send('GRAB_JOB_ALL');
    expect(await asking.nextOnes(2)).toEqual(['OPTION_RES attempts=3', `JOB_ASSIGN_UNIQ ${handle}·f20·u·work`]);
    const fresh = await submit(client, 'SUBMIT_JOB f20··first');
    asking.send('GRAB_JOB');
    expect(await asking.next()).toBe(`JOB_ASSIGN ${fresh}·f20·first`);
  });

  it('GRAB_JOB without a job is NO_JOB', async () => {
    const worker = front.peer();
    worker.send('GRAB_JOB', 'CAN_DO f4', 'GRAB_JOB_UNIQ', 'GRAB_JOB_ALL');
    expect(await worker.nextOnes(3)).toEqual(['NO_JOB', 'NO_JOB', 'NO_JOB']);
  });

  it('PRE_SLEEP is answered with a NOOP when a job comes', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    worker.send('CAN_DO f5', 'PRE_SLEEP');
    expect(await worker.untilEcho()).toEqual([]);
    await submit(client, 'SUBMIT_JOB_BG f5··work');
    expect(await worker.next()).toBe('NOOP');
  });

  it('ALL_YOURS keeps grabs until a job comes, of whatever kind they are', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    worker.send('CAN_DO f6', 'ALL_YOURS', 'GRAB_JOB_UNIQ', 'GRAB_JOB');
    expect(await worker.untilEcho()).toEqual([]);
    const one = await submit(client, 'SUBMIT_JOB f6·u·1');
    const other = await submit(client, 'SUBMIT_JOB f6··2');
    expect(await worker.nextOnes(2)).toEqual([`JOB_ASSIGN_UNIQ ${one}·f6·u·1`, `JOB_ASSIGN ${other}·f6·2`]);
    worker.send('GRAB_JOB', 'RESET_ABILITIES');
    expect(await worker.next()).toBe('NO_JOB');
  });

  it('CANT_DO and RESET_ABILITIES end what CAN_DO began', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    await submit(client, 'SUBMIT_JOB_BG f7··work');
    await submit(client, 'SUBMIT_JOB_BG g7··work');
    worker.send('CAN_DO f7', 'CAN_DO g7', 'CANT_DO f7', 'RESET_ABILITIES', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
  });

  it('CAN_DO_TIMEOUT wants a number', async () => {
    const worker = front.peer();
    worker.send('CAN_DO_TIMEOUT f8·soon', 'CAN_DO_TIMEOUT f8·5');
    expect(await worker.untilEcho()).toEqual(['ERROR INVALID_ARGUMENT·The timeout is a number of milliseconds']);
  });

  it('WORK_DATA, WORK_WARNING and WORK_STATUS reach the client in order, then the end', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const handle = await submit(client, 'SUBMIT_JOB f9··work');
    worker.send('CAN_DO f9', 'GRAB_JOB');
    await worker.next();
    const packets = [
      `WORK_DATA ${handle}·part`,
      `WORK_STATUS ${handle}·1·3`,
      `WORK_WARNING ${handle}·careful`,
      `WORK_FAIL ${handle}`,
    ];
    worker.send(...packets);
    expect(await client.nextOnes(4)).toEqual(packets);
  });

  it('WORK_EXCEPTION is WORK_FAIL for who did not ask for exceptions', async () => {
    const [plain, curious, worker] = [front.peer(), front.peer(), front.peer()];
    curious.send('OPTION_REQ exceptions');
    expect(await curious.next()).toBe('OPTION_RES exceptions');
    const handle = await submit(plain, 'SUBMIT_JOB f10·u·work');
    expect(await submit(curious, 'SUBMIT_JOB f10·u·work')).toBe(handle);
    worker.send('CAN_DO f10', 'GRAB_JOB');
    await worker.next();
    worker.send(`WORK_EXCEPTION ${handle}·why`);
    expect(await plain.next()).toBe(`WORK_FAIL ${handle}`);
    expect(await curious.next()).toBe(`WORK_EXCEPTION ${handle}·why`);
  });

  it.each([
    ['WORK_COMPLETE H:1·x', 'Job given in work result not found'],
    ['WORK_FAIL H:1', 'Job given in work result not found'],
    ['WORK_STATUS H:1·1·2', 'Job given in work result not found'],
    ['WORK_EXCEPTION H:1·x', 'An exception was received for a job that does not exist'],
    ['WORK_DATA H:1·x', 'Job does not exist on server'],
    ['WORK_WARNING H:1·x', 'Job does not exist on server'],
  ])('%s of no job of this connection is JOB_NOT_FOUND', async (packet, text) => {
    const worker = front.peer();
    worker.send(packet);
    expect(await worker.next()).toBe(`ERROR JOB_NOT_FOUND·${text}`);
  });

  it('SET_CLIENT_ID names the connection in the list of workers', async () => {
    const worker = front.peer();
    worker.send('SET_CLIENT_ID number 11', 'CAN_DO f11', 'CAN_DO g11');
    await worker.untilEcho();
    worker.sendText('workers\n');
    expect((await worker.list()).filter((line) => line.includes('f11'))).toEqual([
      expect.stringMatching(/^\d+ in-process number 11 : f11 g11\n$/),
    ]);
  });

  it('a workload of any bytes and size arrives as it was', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    for (const size of [0, 1, 2_048, 2_049, 40_000, 1_000_000]) {
      const workload = Array.from({ length: size }, (_, at) => String.fromCharCode((at * 7) % 256)).join('');
      const shown = workload.replaceAll('\0', '·');
      const handle = await submit(client, `SUBMIT_JOB f12··${shown}`);
      worker.send('CAN_DO f12', 'GRAB_JOB');
      expect((await worker.next()) === `JOB_ASSIGN ${handle}·f12·${shown}`).toBe(true);
      worker.send(`WORK_COMPLETE ${handle}·${shown}`);
      expect((await client.next()) === `WORK_COMPLETE ${handle}·${shown}`).toBe(true);
    }
  });
});
