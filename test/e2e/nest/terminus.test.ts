import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { GearmanClient, GearmanHealthIndicator } from 'nestjs-gearman';
import { TestJobServer } from 'nestjs-gearman/testing';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { RecordingLogger } from '../../support/nest-app.js';

describe('a health check of @nestjs/terminus', () => {
  let health: HealthCheckService;

  beforeAll(async () => {
    const builder = Test.createTestingModule({ imports: [TerminusModule.forRoot({ logger: false })] });
    health = await (await builder.setLogger(new RecordingLogger()).compile()).resolve(HealthCheckService);
  });

  it('shows the indicator up where a job server is there', async () => {
    const jobServer = new TestJobServer();
    atEnd(() => jobServer.close());
    const gearman = new GearmanHealthIndicator(jobServer.client());
    const info = { jobs: { status: 'up', servers: ['in this process'], away: [] } };
    await expect(health.check([() => gearman.check('jobs')])).resolves.toMatchObject({ status: 'ok', info, error: {} });
  });

  it('is unavailable, and says which job server is away, where none is there', async () => {
    const servers = `127.0.0.1:${await freePort()}`;
    const client = new GearmanClient({ servers, connectTimeout: 100 });
    atEnd(() => client.close());
    const gearman = new GearmanHealthIndicator(client);
    const failure: unknown = await health.check([() => gearman.check()]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServiceUnavailableException);
    expect((failure as ServiceUnavailableException).getResponse()).toMatchObject({
      status: 'error',
      error: { gearman: { status: 'down', servers: [], away: [servers] } },
    });
  });
});
