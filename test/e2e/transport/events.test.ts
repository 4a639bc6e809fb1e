import 'reflect-metadata';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RpcException } from '@nestjs/microservices';
import {
  defineFunction,
  GearmanContext,
  GearmanEvent,
  GearmanRecordBuilder,
  type GearmanClient,
  type JobIdentity,
} from 'nestjs-gearman';
import { EMPTY, finalize, firstValueFrom, timer, type Observable } from 'rxjs';
import { describeJobServers } from '../../support/job-servers.js';
import { clientOf, serve, type RunningApp } from '../../support/nest-app.js';
import { until } from '../../support/until.js';

const half = defineFunction<number, void>('half-fails');

/** What handlers have done, in order. */
const done: unknown[] = [];

@Controller()
class Listeners {
  @EventPattern<string>('ordered')
  ordered(@Payload() data: unknown, @Ctx() context: GearmanContext): void {
    done.push({ data, handle: context.handle });
  }

  @EventPattern<string>('shared')
  quick(): Observable<never> {
    done.push('quick');
    return EMPTY; // Nest's own forkJoin would end the others here
  }

  @EventPattern<string>('shared')
  slow(): Observable<number> {
    return timer(20).pipe(finalize(() => done.push('slow')));
  }

  @GearmanEvent('shared')
  async promised(): Promise<void> {
    await firstValueFrom(timer(10));
    done.push('promised');
  }

  @GearmanEvent(half)
  failing(): never {
    throw new RpcException('no room');
  }

  @EventPattern<string>('half-fails')
  working(): Observable<number> {
    return timer(20).pipe(finalize(() => done.push('worked')));
  }

  @EventPattern<string>('fails')
  async fails(): Promise<never> {
    await Promise.resolve();
    throw new Error('out of paper');
  }
}

describeJobServers('an event', (servers) => {
  let client: GearmanClient;
  let running: RunningApp;

  beforeAll(async () => {
    running = await serve({ servers: servers(), controllers: [Listeners], pollInterval: 200 });
    client = clientOf({ servers: servers() });
  });
  beforeEach(() => {
    done.length = 0;
  });

  it('is accepted, its identity told, and handled', async () => {
    const job = await firstValueFrom(client.emit('ordered', { id: 7 }));
    expect(job).toEqual({ handle: expect.stringMatching(/^H:/), server: expect.any(String) });
    await until('it is handled', () => done.length === 1);
    expect(done).toEqual([{ data: { id: 7 }, handle: (job as JobIdentity).handle }]);
  });

  it('is sent without a subscriber, and once with several', async () => {
    const accepted = client.emit('ordered', 1);
    await Promise.all([firstValueFrom(accepted), firstValueFrom(accepted)]);
    await expect(firstValueFrom(accepted)).resolves.toHaveProperty('handle');
    client.emit('ordered', 2);
    await until('both are handled', () => done.length === 2);
  });

  it('ends when every one of its handlers has, streams too', async () => {
    const job = await client.submit('shared', 0);
    await expect(job.result()).resolves.toBeUndefined();
    expect(done).toEqual(['quick', 'promised', 'slow']);
  });

  it('fails when one of its handlers does, after the others have ended', async () => {
    const job = await client.submit('half-fails', 0);
    await expect(job.result()).rejects.toEqual({ status: 'error', message: 'no room' });
    expect(done).toEqual(['worked']);
  });

  it('is logged where it fails, for nobody else is told', async () => {
    const { handle } = (await firstValueFrom(client.emit('fails', 0))) as JobIdentity;
    const message = await until('it has failed', () => running.log.of('warn').find((line) => line.includes(handle)));
    expect(message).toMatch(/^Job H:\S+ of function "fails" \(.+\) failed: Internal server error$/);
    expect(running.log.of('error')).toContain('out of paper'); // by Nest, with its stack
  });

  it('waits for its time, and holds up none behind it', async () => {
    const late = new GearmanRecordBuilder('late').setDelay(3_600_000).build();
    const { handle, server } = (await firstValueFrom(client.emit('ordered', late))) as JobIdentity;
    await firstValueFrom(client.emit('ordered', 'now'));
    await until('the other is handled', () => done.length > 0);
    expect(done).toMatchObject([{ data: 'now' }]);
    await expect(client.statusOf({ handle, server })).resolves.toMatchObject({ isKnown: true, isRunning: false });
  });

  it('is handled when its time has come, and not before', async () => {
    const before = Date.now();
    const soon = new GearmanRecordBuilder('soon').setDelay(1_000).build();
    const { handle } = (await firstValueFrom(client.emit('ordered', soon))) as JobIdentity;
    await until('it is handled', () => done.length > 0);
    expect(Date.now()).toBeGreaterThanOrEqual(before + 1_000);
    expect(done).toEqual([{ data: 'soon', handle }]);
  });

  it('that waits is for nobody to wait for', async () => {
    const late = new GearmanRecordBuilder('late').setDelay(60_000).build();
    await expect(firstValueFrom(client.send('ordered', late))).rejects.toMatchObject({
      code: 'GEARMAN_INVALID_OPTION',
      message: expect.stringMatching(/use emit/),
    });
    await expect(client.submit('ordered', late)).rejects.toMatchObject({ code: 'GEARMAN_INVALID_OPTION' });
  });
});

describe('an event that cannot be sent', () => {
  const nowhere = {
    connect: () => {
      throw new Error('nobody there');
    },
    name: 'nowhere',
  };
  const deaf = () => clientOf({ servers: nowhere, connectTimeout: 20 });

  it('fails at its subscriber, whenever that comes', async () => {
    const accepted = deaf().emit('ordered', 1);
    const expected = { code: 'GEARMAN_NO_SERVER', message: expect.stringContaining('nowhere') };
    await expect(firstValueFrom(accepted)).rejects.toMatchObject(expected);
    await expect(firstValueFrom(accepted)).rejects.toMatchObject(expected);
  });

  it('is logged where nobody subscribed', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    try {
      const accepted = deaf().emit({ cmd: 'ordered' }, 1);
      await until('it is logged', () => error.mock.calls.length > 0);
      expect(error.mock.calls[0]![0]).toMatch(/^emit of {"cmd":"ordered"} failed: no job server could be reached/);
      await expect(firstValueFrom(accepted)).rejects.toMatchObject({ code: 'GEARMAN_NO_SERVER' });
    } finally {
      error.mockRestore();
    }
  });

  it("is Nest's own error where there is no pattern or no data", async () => {
    await expect(firstValueFrom(deaf().emit('ordered', undefined))).rejects.toThrow(/undefined\/null/);
  });
});
