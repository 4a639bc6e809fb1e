import { Controller, Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload, type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { describe, expect, it } from '@jest/globals';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule, GearmanSchedule } from 'nestjs-gearman/job-server';
import { atEnd } from '../../support/cleanup.js';
import { until } from '../../support/until.js';

/** Starts an app with an embedded job server and these controllers as its handlers. */
async function startApp(controllers: Type[], providers: Type[] = []): Promise<GearmanJobServer> {
  @Module({ imports: [GearmanJobServerModule.forRoot({ listeners: [] })], controllers, providers })
  class AppModule {}
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
    logger: false,
    abortOnError: false,
    useFactory: (jobServer: GearmanJobServer) => ({
      strategy: new GearmanStrategy({ servers: jobServer, format: 'text' }),
    }),
    inject: [GearmanJobServer],
  });
  atEnd(() => app.close());
  await app.listen();
  return app.get(GearmanJobServer);
}

describe('@GearmanSchedule', () => {
  it('has its handler run at each tick, with what the schedule carries', async () => {
    const heard: string[] = [];
    @Controller()
    class Clock {
      @MessagePattern('tick')
      @GearmanSchedule(1_000, { workload: 'tock' })
      tick(@Payload() workload: string): void {
        heard.push(workload);
      }
    }
    const jobServer = await startApp([Clock]);
    await until('it ran twice', () => heard.length >= 2);
    expect(new Set(heard)).toEqual(new Set(['tock']));
    expect(jobServer.schedules.list()).toMatchObject([
      { id: 'tick', source: 'decorator', options: { function: 'tick', every: 1_000, workload: 'tock' } },
    ]);
  });

  it('may stand several times on a handler, of messages and of events, and on a provider', async () => {
    @Controller()
    class Reports {
      @MessagePattern('report')
      @GearmanSchedule('0 3 * * *', { timeZone: 'Europe/Berlin', workload: 'all' })
      @GearmanSchedule('*/15 8-18 * * mon-fri', { id: 'report.quick', overlap: 'queue' })
      report(): void {}

      @EventPattern('cleanup')
      @GearmanSchedule('@daily', { priority: 'low' })
      cleanUp(@Payload() _workload: string): void {}
    }
    @Injectable()
    class Elsewhere {
      @GearmanSchedule('@hourly', { function: 'of.php' })
      nothing(): void {}
    }
    const jobServer = await startApp([Reports], [Elsewhere]);
    const list = jobServer.schedules.list();
    expect(list.map(({ id, options }) => [id, options.function, options.cron])).toEqual([
      ['cleanup', 'cleanup', '@daily'],
      ['of.php', 'of.php', '@hourly'],
      ['report', 'report', '0 3 * * *'],
      ['report.quick', 'report', '*/15 8-18 * * mon-fri'],
    ]);
    expect(list[2]?.options).toMatchObject({ timeZone: 'Europe/Berlin', workload: 'all' });
    expect(list[0]?.options).toMatchObject({ priority: 'low' });
    expect(list.every(({ source, nextTick }) => source === 'decorator' && nextTick! > Date.now())).toBe(true);
  });

  it.each([
    [
      'two handlers with one id',
      () => {
        @Controller()
        class Twice {
          @MessagePattern('a')
          @GearmanSchedule('@daily', { id: 'x' })
          a(): void {}

          @MessagePattern('b')
          @GearmanSchedule('@daily', { id: 'x' })
          b(): void {}
        }
        return Twice;
      },
      /schedules\.x: is on two handlers/,
    ],
    [
      'a pattern that is no text',
      () => {
        @Controller()
        class NoText {
          @MessagePattern({ cmd: 'a' })
          @GearmanSchedule('@daily')
          a(): void {}
        }
        return NoText;
      },
      /@GearmanSchedule of NoText\.a.*function: 'report'/,
    ],
    [
      'a pattern of cron that is none',
      () => {
        @Controller()
        class NoCron {
          @MessagePattern('a')
          @GearmanSchedule('61 * * * *')
          a(): void {}
        }
        return NoCron;
      },
      /schedules\.a\.cron: must be a pattern of cron \(Invalid value for minute: 61\)/,
    ],
  ])('keeps an app from starting for %s', async (_, make, message) => {
    await expect(startApp([make()])).rejects.toThrow(message);
  });
});
