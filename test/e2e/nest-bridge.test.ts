import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { GearmanContext, type GearmanClient } from 'nestjs-gearman';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import {
  FOREIGN_CLIENTS,
  FOREIGN_WORKERS,
  runClient,
  startWorker,
  untilServed,
  workloadsFor,
} from '../support/foreign-programs.js';
import { startGearmand } from '../support/gearmand.js';
import { startListening } from '../support/job-servers.js';
import { clientOf, serve } from '../support/nest-app.js';
import { describeWith } from '../support/peers.js';
import { reversed, WORKLOADS } from '../support/workloads.js';

@Controller()
class ForeignersController {
  @MessagePattern('reverse')
  reverse(@Payload() workload: Buffer): Buffer {
    return reversed(workload);
  }

  @MessagePattern('chatty')
  chatty(@Ctx() context: GearmanContext): Buffer {
    context.progress(1, 2);
    context.data(Buffer.from('part'));
    context.warning('hot');
    return Buffer.from('end');
  }

  @MessagePattern('throwing')
  throwing(): never {
    throw new RpcException('boom');
  }
}

function bridges(start: () => Promise<{ port: number }>, isGearmand: boolean): void {
  describe('a Nest worker', () => {
    let port: number;
    beforeAll(async () => {
      ({ port } = await start());
      await serve({ servers: [`127.0.0.1:${port}`], controllers: [ForeignersController], format: 'raw' });
      await untilServed(port, 'reverse');
    });

    for (const client of FOREIGN_CLIENTS) {
      describeWith(client.peer, `called by ${client.name}`, () => {
        it.each(workloadsFor(client))('carries %s', async (_title, workload) => {
          const { code, stdout, stderr } = await runClient(client, port, 'reverse', workload);
          expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
          expect(stdout.equals(reversed(workload))).toBe(true);
        });

        if (client.peer === 'gearman') return;

        it('tells status, data and warnings as they come', async () => {
          const { stdout } = await runClient(client, port, 'chatty', 'x', 'events');
          expect(stdout.toString()).toBe('status 1/2\ndata part\nwarning hot\ncomplete end\n');
        });

        if (client.peer === 'perl') return; // takes every exception for a Perl data structure

        it('tells an exception, to gearmand as a warning and a failure', async () => {
          const { stdout } = await runClient(client, port, 'throwing', 'x', 'events');
          const body = '{"status":"error","message":"boom"}';
          const told = isGearmand ? `warning WORK_EXCEPTION: ${body}\nfail\n` : `exception ${body}\n`;
          expect(stdout.toString()).toContain(told);
        });
      });
    }
  });

  for (const worker of FOREIGN_WORKERS) {
    describeWith([worker.peer, 'perl'], `a Nest client of ${worker.name}`, () => {
      let client: GearmanClient;
      beforeAll(async () => {
        const { port } = await start();
        await startWorker(worker, port);
        client = clientOf({ servers: [`127.0.0.1:${port}`], format: 'raw' });
      });

      // Perl's worker leaves out an empty result with its NUL, over which gearmand's I/O thread spins for ever.
      const isSpinning = isGearmand && worker.peer === 'perl';
      it.each(isSpinning ? WORKLOADS.filter(([, bytes]) => bytes.length > 0) : WORKLOADS)(
        'carries %s',
        async (_title, workload) => {
          const result = await firstValueFrom(client.send<Buffer>('reverse', workload), {
            defaultValue: Buffer.alloc(0),
          });
          expect(result.equals(reversed(workload))).toBe(true);
        },
      );

      it('carries many at once, each answered with its own', async () => {
        const workloads = Array.from({ length: 100 }, (_, index) => Buffer.from(`workload ${index}`));
        const results = workloads.map((workload) => firstValueFrom(client.send<Buffer>('reverse', workload)));
        expect(await Promise.all(results)).toEqual(workloads.map(reversed));
      });

      if (worker.peer === 'gearman') return;

      it('streams data before the result', async () => {
        const results = await lastValueFrom(client.send<Buffer>('chatty', Buffer.from('x')).pipe(toArray()));
        expect(results.map(String)).toEqual(['part', 'end']);
      });

      it('hears status, data and warnings as they come', async () => {
        const job = await client.submit('chatty', Buffer.from('x'));
        const updates = await lastValueFrom(job.updates$.pipe(toArray()));
        expect(updates).toEqual([
          { kind: 'progress', numerator: 1, denominator: 2 },
          { kind: 'data', value: Buffer.from('part') },
          { kind: 'warning', message: 'hot' },
        ]);
        expect(await job.result()).toEqual(Buffer.from('end'));
      });

      it('fails when the job does', async () => {
        const failure = firstValueFrom(client.send('failing', Buffer.from('x')));
        await expect(failure).rejects.toMatchObject({ code: 'GEARMAN_JOB_FAILED' });
      });

      it('is told the bytes of an exception', async () => {
        const failure = firstValueFrom(client.send('throwing', Buffer.from('x')));
        await expect(failure).rejects.toMatchObject({ code: 'GEARMAN_JOB_EXCEPTION', bytes: Buffer.from('boom') });
      });
    });
  }
}

describeWith('gearmand', 'over C gearmand', () => bridges(startGearmand, true));
describe('over our job server', () => bridges(startListening, false));
