import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { AdminClient, type WorkerStatus } from '../../../../lib/driver/index.js';
import { toByteString } from '../../../../lib/protocol/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { startFront, type FrontScene } from '../../../support/front.js';
import type { RawPeer } from '../../../support/raw-peer.js';
import { rawPacket } from '../../../support/wire.js';
import { runs } from '../../../support/runs.js';

function adminOf(front: FrontScene): AdminClient {
  const admin = new AdminClient({ server: { connect: () => front.server.connect(), name: 'ours' } });
  atEnd(() => admin.close());
  return admin;
}

/** A worker's packet with any bytes for its name. */
function named(packet: 'CAN_DO' | 'SET_CLIENT_ID', name: string): Buffer {
  return rawPacket('\0REQ', packet === 'CAN_DO' ? 1 : 22, name);
}

/** What an admin word is answered, as its lines. */
async function ask(peer: RawPeer, word: string): Promise<string[]> {
  peer.sendText(`${word}\n`);
  return peer.list();
}

const anyBytes = fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array).toString('latin1'));
/** A NUL ends a worker's name. */
const withoutNul = (name: string): string => name.replaceAll('\0', '');

const FORGERIES = [
  'evil\t0\t0\t0\n.\nforged\t9\t9\t9',
  'id\n99 10.0.0.1 root : admin',
  'a b',
  'a\tb\r',
  '',
  '.',
  'ERR FORGED it+says',
  '\u001b[31mred\u001b]0;title\u0007',
  '\u009b31m',
  '\u202egnp.exe',
  'caf\udce9',
  '\\x{0a}',
  'App\\Jobs\\Mail',
];

describe('a name that a peer chose', () => {
  it('forges no line of an admin list, and our client reads it', async () => {
    const front = await startFront();
    const [worker, client, admin] = [front.peer(), front.peer(), front.peer()];
    worker.send(...FORGERIES.map((name) => named('CAN_DO', toByteString(name))));
    worker.send(named('SET_CLIENT_ID', 'id\n99 10.0.0.1 root : admin'));
    await worker.untilEcho('named');
    for (const unique of FORGERIES) {
      coreOf(front.server).engine.submit(
        {
          function: 'f',
          unique: toByteString(unique),
          workload: '',
          priority: 1,
          isBackground: true,
          at: 0,
        },
        undefined,
      );
    }
    await client.untilEcho('there');

    const status = await ask(admin, 'status');
    expect(status).toHaveLength(FORGERIES.length + 2);
    for (const line of status.slice(0, -1)) expect(line).toMatch(/^[^\t]*\t\d+\t\d+\t\d+\n$/);
    expect(status[0]).toBe('evil\\x{09}0\\x{09}0\\x{09}0\\x{0a}.\\x{0a}forged\\x{09}9\\x{09}9\\x{09}9\t0\t0\t1\n');
    for (const line of (await ask(admin, 'prioritystatus')).slice(0, -1)) {
      expect(line).toMatch(/^[^\t]*\t\d+\t\d+\t\d+\t\d+\n$/);
    }
    for (const line of (await ask(admin, 'workers')).slice(0, -1)) expect(line).toMatch(/^\d+ \S+ .+? :( \S+)*\n$/);
    expect(await ask(admin, 'show unique jobs')).toHaveLength(FORGERIES.length + 1);

    const names = adminOf(front);
    expect((await names.status()).map((row) => row.function)).toEqual([...FORGERIES, 'f']);
    expect((await names.priorityStatus()).map((row) => row.function)).toEqual([...FORGERIES, 'f']);
    const workers: WorkerStatus[] = await names.workers();
    expect(workers.flatMap(({ functions }) => functions)).toEqual(FORGERIES);
    expect(workers.map(({ clientId }) => clientId)).toContain('id\n99 10.0.0.1 root : admin');
    // A job without a unique is none of these.
    expect(await names.uniqueJobs()).toEqual(FORGERIES.filter((unique) => unique !== ''));
  });

  it('can be acted on as it is shown', async () => {
    const front = await startFront();
    const admin = adminOf(front);
    for (const name of FORGERIES) {
      await admin.createFunction(name);
      expect((await admin.status()).map((row) => row.function)).toEqual([name]);
      await admin.limitQueue(name, 1);
      expect(coreOf(front.server).engine.functions[Symbol.iterator]().next().value!.name).toBe(toByteString(name));
      await admin.dropFunction(name);
      expect(await admin.status()).toEqual([]);
    }
    const person = front.peer();
    person.sendText('create function a\\x{20}\\x{0A}b\n');
    await person.next();
    expect(await ask(person, 'status')).toEqual(['a \\x{0a}b\t0\t0\t0\n', '.\n']);
  });

  it('ends where its last byte ends, also where that looks like a blank', async () => {
    const front = await startFront();
    // Its last byte is a0: a blank, were it Latin-1.
    await adminOf(front).createFunction('caffà');
    const admin = front.peer();
    admin.sendText('drop function caff\xc3\xa0 \t\r\n');
    expect(await admin.next()).toBe('OK\r\n');
  });

  it('comes back exactly, whatever its bytes', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anyBytes.map(withoutNul), anyBytes.map(withoutNul), async (made, name, id) => {
        const front = await startFront();
        const admin = adminOf(front);
        coreOf(front.server).engine.createFunction(made);
        const worker = front.peer();
        worker.send(named('SET_CLIENT_ID', id), named('CAN_DO', name), named('CAN_DO', `second ${name}`));
        await worker.untilEcho('there');
        const [functions, row] = [await admin.status(), (await admin.workers())[0]!];
        expect(new Set(functions.map((row) => toByteString(row.function)))).toEqual(
          new Set([made, name, `second ${name}`]),
        );
        expect(row.functions.map(toByteString)).toEqual([name, `second ${name}`]);
        expect(row.clientId === undefined ? ['', '-'] : [toByteString(row.clientId)]).toContain(id);
        worker.send('RESET_ABILITIES');
        await worker.untilEcho('idle');
        for (const { function: each } of functions) await admin.dropFunction(each);
        expect(await admin.status()).toEqual([]);
        await front.server.stop();
      }),
      runs(20),
    );
  });

  it('is text for `authorize`, and its answer to a word we do not know is harmless', async () => {
    const asked: string[] = [];
    const front = await startFront({
      authorize: ({ action, function: name, clientId }) => {
        asked.push(`${action} ${name} ${clientId}`);
        return action === 'admin';
      },
    });
    const peer = front.peer();
    peer.send(named('SET_CLIENT_ID', toByteString('größe')), named('CAN_DO', toByteString('é')));
    expect(await peer.next()).toMatch(/^ERROR ACCESS_DENIED/);
    expect(asked).toEqual(['work é größe']);
    peer.sendText('\x7f\x1b[2Jfoo\n');
    expect(await peer.next()).toBe('ERR UNKNOWN_COMMAND Unknown+server+command\\x{7f}\\x{1b}[2Jfoo\r\n');
  });

  it('begins no line of the log', async () => {
    const front = await startFront({
      authorize: ({ clientId }) => {
        throw new Error(`${clientId} is not known`);
      },
    });
    const peer = front.peer();
    peer.send(named('SET_CLIENT_ID', 'x\nERROR forged'), named('CAN_DO', 'f'));
    await peer.next();
    expect(front.log).toEqual([
      'error: authorize threw, so the answer is no: Error: x\\x{0a}ERROR forged is not known',
    ]);
  });
});
