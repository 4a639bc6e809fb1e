import 'reflect-metadata';
import { beforeAll, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, RpcException } from '@nestjs/microservices';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import type { GearmanClientOptions } from 'nestjs-gearman';
import { JobServer } from 'nestjs-gearman/job-server';
import { firstValueFrom } from 'rxjs';
import { atEnd } from '../support/cleanup.js';
import { clientOf, serve } from '../support/nest-app.js';
import { until } from '../support/until.js';

const reader = new PeriodicExportingMetricReader({
  exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  exportIntervalMillis: 3_600_000,
});

@Controller()
class Served {
  @MessagePattern('fine')
  fine(): string {
    return 'done';
  }

  @MessagePattern('refuses')
  refuses(): never {
    throw new RpcException('no');
  }
}

let jobServer: JobServer;

beforeAll(async () => {
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  atEnd(() => provider.shutdown());
  jobServer = new JobServer({
    listeners: [],
    authorize: (request) => !('function' in request && request.function === 'forbidden'),
  });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  await serve({ servers: jobServer, controllers: [Served] });
});

const ask = (name: string, options: GearmanClientOptions = {}): Promise<unknown> =>
  firstValueFrom(clientOf({ servers: jobServer, ...options }).send(name, {}));

/** How often each metric was measured: its name, its unit, the function, error.type and the count. */
async function measured(): Promise<string[]> {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics
    .filter(({ scope }) => scope.name === 'nestjs-gearman')
    .flatMap(({ metrics: families }) =>
      families.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const count = typeof value === 'number' ? value : (value as Histogram).count;
          const { 'messaging.destination.name': name, 'error.type': error = '-' } = attributes;
          return [descriptor.name, descriptor.unit, name, error, count].join(' ');
        }),
      ),
    )
    .sort();
}

it('tells OpenTelemetry of jobs what it tells of messages, under its names, and nothing where tracing is off', async () => {
  expect(await ask('fine')).toBe('done');
  await expect(ask('refuses')).rejects.toBeDefined();
  await ask('fine', { tracing: false });
  await firstValueFrom(clientOf({ servers: jobServer }).emit('fine', {}));
  await expect(ask('forbidden')).rejects.toBeDefined();
  await until('the last one has run', async () =>
    (await measured()).some((line) => /^.*consumed.* fine - 3$/.test(line)),
  );
  await until('the last one has ended', async () =>
    (await measured()).some((line) => /^.*process.* fine - 3$/.test(line)),
  );
  expect(await measured()).toEqual([
    'messaging.client.consumed.messages {message} fine - 3',
    'messaging.client.consumed.messages {message} refuses - 1',
    'messaging.client.operation.duration s fine - 2',
    'messaging.client.operation.duration s forbidden GEARMAN_SERVER_ERROR 1',
    'messaging.client.operation.duration s refuses - 1',
    'messaging.client.sent.messages {message} fine - 2',
    'messaging.client.sent.messages {message} forbidden GEARMAN_SERVER_ERROR 1',
    'messaging.client.sent.messages {message} refuses - 1',
    'messaging.process.duration s fine - 3',
    'messaging.process.duration s refuses RpcException 1',
  ]);
});
