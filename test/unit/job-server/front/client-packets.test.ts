import { describe, expect, it } from '@jest/globals';
import { CLOSED } from '../../../support/raw-peer.js';
import { startFront, submit } from '../../../support/front.js';
import { until } from '../../../support/until.js';
import { rawPacket } from '../../../support/wire.js';
import { SlowStorage } from '../durable/slow-storage.js';

const front = await startFront();

describe('client packets', () => {
  it('SUBMIT_JOB*: six kinds, one order', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const kinds = [
      'SUBMIT_JOB_LOW_BG',
      'SUBMIT_JOB_LOW',
      'SUBMIT_JOB_BG',
      'SUBMIT_JOB',
      'SUBMIT_JOB_HIGH_BG',
      'SUBMIT_JOB_HIGH',
    ];
    for (const kind of kinds) await submit(client, `${kind} f1··${kind}`);
    worker.send('CAN_DO f1', ...kinds.map(() => 'GRAB_JOB'));
    const assigned = (await worker.nextOnes(6)).map((packet) => packet.split(/[ ·]/));
    expect(assigned.map(([, , , workload]) => workload)).toEqual([
      'SUBMIT_JOB_HIGH_BG',
      'SUBMIT_JOB_HIGH',
      'SUBMIT_JOB_BG',
      'SUBMIT_JOB',
      'SUBMIT_JOB_LOW_BG',
      'SUBMIT_JOB_LOW',
    ]);
    for (const [, handle] of assigned) worker.send(`WORK_COMPLETE ${handle}·`);
    expect((await client.untilEcho()).length).toBe(0);
    await worker.untilEcho();
    const heard = await client.untilEcho();
    expect(heard).toEqual([1, 3, 5].map((index) => `WORK_COMPLETE ${assigned[index]![1]}·`));
  });

  it('a heartbeat is answered while a submission waits for the storage, all else in its order', async () => {
    const storage = new SlowStorage();
    const client = (await startFront({ storage })).peer();
    client.send('SUBMIT_JOB_BG f··x', 'ECHO_REQ ·other', 'ECHO_REQ ·nestjs-gearman heartbeat');
    expect(await client.next()).toBe('ECHO_RES ·nestjs-gearman heartbeat');
    storage.sync();
    expect(await client.nextOnes(2)).toEqual([expect.stringMatching(/^JOB_CREATED H:/), 'ECHO_RES ·other']);
  });

  it('handles begin with H: and never repeat', async () => {
    const client = front.peer();
    const [one, other] = [await submit(client, 'SUBMIT_JOB_BG f2··'), await submit(client, 'SUBMIT_JOB_BG f2··')];
    expect(one).toMatch(/^H:\S{1,61}$/);
    expect(other).not.toBe(one);
  });

  it('SUBMIT_REDUCE_JOB* takes four arguments as PROTOCOL has it, and five as gearmand wants them', async () => {
    const worker = front.peer();
    for (const packet of [
      'SUBMIT_REDUCE_JOB f3·u1·sum·work',
      'SUBMIT_REDUCE_JOB_BACKGROUND f3·u2·sum·more·work·and work',
    ]) {
      const handle = await submit(front.peer(), packet);
      worker.send('CAN_DO f3', 'GRAB_JOB_ALL');
      const [, , unique, reducer, ...workload] = (await worker.next()).split('·');
      expect([unique, reducer]).toEqual([packet.includes('u1') ? 'u1' : 'u2', 'sum']);
      expect(workload.join('·')).toBe(packet.includes('u1') ? 'work' : 'work·and work');
      worker.send(`WORK_COMPLETE ${handle}·`);
    }
  });

  it('SUBMIT_JOB_EPOCH waits for its second', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const later = Math.floor(Date.now() / 1_000) + 1_000;
    const handle = await submit(client, `SUBMIT_JOB_EPOCH f4··${later}·later`);
    await submit(client, 'SUBMIT_JOB_EPOCH f4··1·past');
    worker.send('CAN_DO f4', 'GRAB_JOB', 'GRAB_JOB');
    expect((await worker.nextOnes(2)).map((packet) => packet.split('·').at(-1))).toEqual(['past', 'NO_JOB']);
    client.send(`GET_STATUS ${handle}`, 'SUBMIT_JOB_EPOCH f4··soon·never');
    expect(await client.nextOnes(2)).toEqual([
      `STATUS_RES ${handle}·1·0·0·0`,
      'ERROR INVALID_ARGUMENT·The epoch is a number of seconds since 1970',
    ]);
  });

  it('SUBMIT_JOB_SCHED waits for the next time its fields match', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const inTwoMonths = ((new Date().getMonth() + 2) % 12) + 1;
    const handle = await submit(client, `SUBMIT_JOB_SCHED f5··30·*·1·${inTwoMonths}··work`);
    worker.send('CAN_DO f5', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    client.send(`GET_STATUS ${handle}`, 'SUBMIT_JOB_SCHED f5··61·*·*·*·*·never');
    expect(await client.nextOnes(2)).toEqual([
      `STATUS_RES ${handle}·1·0·0·0`,
      'ERROR INVALID_ARGUMENT·No time matches these fields; give numbers, * or nothing',
    ]);
  });

  it('GET_STATUS tells known, running and progress', async () => {
    const [client, worker] = [front.peer(), front.peer()];
    const handle = await submit(client, 'SUBMIT_JOB f6··');
    client.send('GET_STATUS H:unknown', `GET_STATUS ${handle}`);
    expect(await client.nextOnes(2)).toEqual(['STATUS_RES H:unknown·0·0·0·0', `STATUS_RES ${handle}·1·0·0·0`]);
    worker.send('CAN_DO f6', 'GRAB_JOB');
    await worker.next();
    worker.send(`WORK_STATUS ${handle}·3·10`);
    expect(await client.next()).toBe(`WORK_STATUS ${handle}·3·10`);
    client.send(`GET_STATUS ${handle}`);
    expect(await client.next()).toBe(`STATUS_RES ${handle}·1·1·3·10`);
    worker.send(`WORK_COMPLETE ${handle}·`);
    await client.next();
    client.send(`GET_STATUS ${handle}`);
    expect(await client.next()).toBe(`STATUS_RES ${handle}·0·0·0·0`);
  });

  it('GET_STATUS_UNIQUE tells the number of clients as well', async () => {
    const [client, other] = [front.peer(), front.peer()];
    await submit(client, 'SUBMIT_JOB f7·seven·');
    await submit(other, 'SUBMIT_JOB f7·seven·');
    client.send('GET_STATUS_UNIQUE seven', 'GET_STATUS_UNIQUE eight');
    expect(await client.nextOnes(2)).toEqual([
      'STATUS_RES_UNIQUE seven·1·0·0·0·2',
      'STATUS_RES_UNIQUE eight·0·0·0·0·0',
    ]);
  });

  it('ECHO_REQ echoes any bytes', async () => {
    const client = front.peer();
    client.send('ECHO_REQ a·b\xff', 'ECHO_REQ');
    expect(await client.nextOnes(2)).toEqual(['ECHO_RES a·b\xff', 'ECHO_RES']);
  });

  it('OPTION_REQ knows few options', async () => {
    const client = front.peer();
    client.send('OPTION_REQ exceptions', 'OPTION_REQ compression');
    expect(await client.nextOnes(2)).toEqual([
      'OPTION_RES exceptions',
      'ERROR UNKNOWN_OPTION·Server does not recognize given option',
    ]);
  });

  it('a unique of more than 64 bytes is refused', async () => {
    const client = front.peer();
    client.send(`SUBMIT_JOB f8·${'u'.repeat(65)}·work`);
    expect(await client.next()).toBe('ERROR ARGUMENT_TOO_LARGE·Unique value too large');
  });
});

describe('what is not understood', () => {
  it.each(['NOOP', 'JOB_CREATED H:1', 'NO_JOB', 'JOB_ASSIGN H·f·w', 'ECHO_RES x', 'ERROR a·b', 'STATUS_RES a·b·c·d·e'])(
    '%s is for clients, not for job servers',
    async (packet) => {
      const peer = front.peer();
      peer.send(packet);
      expect(await peer.untilEcho()).toEqual(['ERROR INVALID_COMMAND·Command not expected']);
    },
  );

  it('a packet as job servers send them is refused', async () => {
    const peer = front.peer();
    peer.send('RES ECHO_REQ x');
    expect(await peer.untilEcho()).toEqual(['ERROR INVALID_MAGIC·Request magic expected']);
  });

  it('a missing argument is named, and the connection goes on', async () => {
    const peer = front.peer();
    peer.send('SUBMIT_JOB f·u');
    expect(await peer.untilEcho()).toEqual(['ERROR INVALID_PACKET·SUBMIT_JOB lacks its argument workload']);
  });

  it.each([
    ['type 0', rawPacket('\0REQ', 0, '')],
    ['type 43', rawPacket('\0REQ', 43, '')],
    ['another magic', rawPacket('\0RFQ', 16, 'x')],
    ['4 GiB', rawPacket('\0REQ', 16, 'x', 2 ** 32 - 1)],
  ])('%s ends the connection, and only it', async (_, bytes) => {
    const [peer, other] = [front.peer(), front.peer()];
    const logged = front.log.length;
    peer.send('ECHO_REQ before', bytes, 'ECHO_REQ behind');
    const heard = [await peer.next()];
    while (heard.at(-1) !== CLOSED) heard.push(await peer.next());
    expect(heard).not.toContain('ECHO_RES behind');
    expect(await other.untilEcho()).toEqual([]);
    // The peer may hear of its end before the job server does.
    await until('why is logged', () =>
      front.log.slice(logged).some((line) => /^warn: in-process \(#\d+\): closed: /.test(line)),
    );
  });

  it('bytes one by one are a packet all the same', async () => {
    const peer = front.peer();
    for (const byte of rawPacket('\0REQ', 16, 'slowly')) peer.send(Buffer.of(byte));
    expect(await peer.next()).toBe('ECHO_RES slowly');
  });
});
