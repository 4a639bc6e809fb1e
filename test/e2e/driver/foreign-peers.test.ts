import { hostname } from 'node:os';
import { beforeAll, expect, it } from '@jest/globals';
import {
  FOREIGN_CLIENTS,
  FOREIGN_WORKERS,
  runClient,
  startWorker,
  workloadsFor,
} from '../../support/foreign-programs.js';
import { startListening } from '../../support/job-servers.js';
import { describeWith } from '../../support/peers.js';
import { RawPeer } from '../../support/raw-peer.js';
import { pipeThrough } from '../../support/processes.js';
import { until } from '../../support/until.js';
import { reversed } from '../../support/workloads.js';

for (const worker of FOREIGN_WORKERS) {
  describeWith([worker.peer, 'perl'], `our job server with ${worker.name}`, () => {
    let port: number;
    beforeAll(async () => {
      ({ port } = await startListening());
      await startWorker(worker, port);
    });

    for (const client of FOREIGN_CLIENTS) {
      describeWith(client.peer, `and ${client.name}`, () => {
        it.each(workloadsFor(client))('carries %s', async (_title, workload) => {
          const { code, stdout, stderr } = await runClient(client, port, 'reverse', workload);
          expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
          expect(stdout.equals(reversed(workload))).toBe(true);
        });
      });
    }
  });
}

/** gearman's worker runs a command and tells nothing on the way; its client shows only results. */
const talkative = FOREIGN_WORKERS.filter(({ peer }) => peer !== 'gearman');
const observant = FOREIGN_CLIENTS.filter(({ peer }) => peer !== 'gearman');

for (const worker of talkative) {
  describeWith(worker.peer, `our job server with ${worker.name}`, () => {
    let port: number;
    beforeAll(async () => {
      ({ port } = await startListening());
      await startWorker(worker, port);
    });

    for (const client of observant) {
      describeWith(client.peer, `and ${client.name}`, () => {
        const eventsOf = async (name: string): Promise<string> =>
          (await runClient(client, port, name, 'x', 'events')).stdout.toString();

        it('tells status, data and warnings as they come', async () => {
          expect(await eventsOf('chatty')).toBe('status 1/2\ndata part\nwarning hot\ncomplete end\n');
        });

        it('tells a failure', async () => {
          expect(await eventsOf('failing')).toBe('fail\n');
        });

        if (client.peer !== 'perl') {
          // Perl's client takes every exception for a Perl data structure.
          it('tells an exception', async () => {
            expect(await eventsOf('throwing')).toContain('exception boom\n');
          });
        }

        it('takes a job in the background', async () => {
          const { code, stdout } = await runClient(client, port, 'reverse', 'x', 'background');
          expect(code).toBe(0);
          // As php-gearman's own tests and people's scripts expect it; the Perl client puts the server before it.
          expect(stdout.toString().trim()).toMatch(new RegExp(`H:${hostname().slice(0, 30)}:\\d+$`));
          const admin = await RawPeer.connect({ port });
          await until('the job is done', async () => {
            admin.send(`GET_STATUS ${stdout.toString().trim()}`);
            return (await admin.next()) === `STATUS_RES ${stdout.toString().trim()}·0·0·0·0`;
          });
        });
      });
    }
  });
}

describeWith('gearman', 'our job server with the gearman command', () => {
  const submit = (port: number, ...args: string[]) =>
    pipeThrough('gearman', ['-h', '127.0.0.1', '-p', String(port), '-f', 'f', ...args], 'workload');

  async function queued(port: number): Promise<string[]> {
    const admin = await RawPeer.connect({ port });
    admin.sendText('show unique jobs\n');
    return admin.list();
  }

  async function worker(port: number): Promise<RawPeer> {
    const peer = await RawPeer.connect({ port });
    peer.send('CAN_DO f');
    return peer;
  }

  it('takes a background job (-b) and answers at once', async () => {
    const { port } = await startListening();
    expect(await submit(port, '-b', '-u', 'one')).toMatchObject({ code: 0 });
    expect(await queued(port)).toEqual(['one\n', '.\n']);
  });

  it('makes one job of two with the same unique (-u), and answers both', async () => {
    const { port } = await startListening();
    const both = [submit(port, '-u', 'same'), submit(port, '-u', 'same')];
    const peer = await worker(port);
    await until('both wait for it', async () => {
      peer.send('GET_STATUS_UNIQUE same');
      return (await peer.next()) === 'STATUS_RES_UNIQUE same·1·0·0·0·2';
    });
    peer.send('GRAB_JOB_UNIQ');
    const [, handle] = /^JOB_ASSIGN_UNIQ (.*)·f·same·workload$/.exec(await peer.next()) ?? [];
    peer.send(`WORK_COMPLETE ${handle}·answer`);
    for (const client of both) expect((await client).stdout.toString()).toBe('answer');
    peer.send('GRAB_JOB');
    expect(await peer.next()).toBe('NO_JOB');
  });

  it('orders by priority (-I, -L)', async () => {
    const { port } = await startListening();
    for (const args of [
      ['-L', '-u', 'low'],
      ['-u', 'normal'],
      ['-I', '-u', 'high'],
    ])
      await submit(port, '-b', ...args);
    const peer = await worker(port);
    peer.send('GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ');
    const uniques = (await peer.nextOnes(3)).map((assignment) => assignment.split('·')[2]);
    expect(uniques).toEqual(['high', 'normal', 'low']);
  });

  it('exits with an error when the job failed', async () => {
    const { port } = await startListening();
    const client = submit(port);
    const peer = await worker(port);
    peer.send('PRE_SLEEP');
    expect(await peer.next()).toBe('NOOP');
    peer.send('GRAB_JOB');
    const [, handle] = /^JOB_ASSIGN (.*)·f·workload$/.exec(await peer.next()) ?? [];
    peer.send(`WORK_FAIL ${handle}`);
    expect((await client).code).not.toBe(0);
  });
});
