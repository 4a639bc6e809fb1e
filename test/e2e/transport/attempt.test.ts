import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, RpcException } from '@nestjs/microservices';
import { GearmanContext, GearmanEvent, type ServerAddress } from 'nestjs-gearman';
import { MemoryStorage } from '../../../lib/job-server/storage/index.js';
import { startGearmand } from '../../support/gearmand.js';
import { startListening } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';

/** The attempts that the handler was told. */
const attempts: (number | undefined)[] = [];

@Controller()
class Stubborn {
  @GearmanEvent('stubborn')
  handle(@Ctx() { attempt }: GearmanContext): void {
    attempts.push(attempt);
    if (attempt !== undefined && attempt < 3) throw new RpcException('not yet');
  }
}

async function runOne(servers: ServerAddress): Promise<void> {
  attempts.length = 0;
  await serve({ servers, controllers: [Stubborn] });
  clientOf({ servers }).emit('stubborn', {});
}

describe('a handler over our job server', () => {
  it('is told which attempt at its job it is, and may go by it', async () => {
    const policies = { stubborn: { retries: 5, backoff: { initialDelay: 0, maxDelay: 0 } } };
    const { server } = await startListening({ storage: new MemoryStorage(), policies });
    await runOne(server);
    await until('the job is done', () => attempts.length === 3);
    expect(attempts).toEqual([1, 2, 3]);
  });
});

describeWith('gearmand', 'a handler over C gearmand', () => {
  it('is not told, for gearmand does not tell', async () => {
    const { port } = await startGearmand();
    await runOne(`127.0.0.1:${port}`);
    await until('the job has run', () => attempts.length === 1);
    expect(attempts).toEqual([undefined]);
  });
});
