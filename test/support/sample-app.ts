import type { INestMicroservice, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { GearmanStrategyOptions } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { TestJobServer } from 'nestjs-gearman/testing';
import { atEnd } from './cleanup.js';

/** A sample's app as its user would test it: in this process, with a `TestJobServer` instead of its job server. */
export async function serveSample(
  metadata: ModuleMetadata,
  options?: Omit<GearmanStrategyOptions, 'servers'>,
): Promise<{ app: INestMicroservice; jobServer: TestJobServer }> {
  const jobServer = new TestJobServer();
  const builder = Test.createTestingModule(metadata).overrideProvider(GearmanJobServer).useValue(jobServer);
  const app = (await builder.compile()).createNestMicroservice({ strategy: jobServer.strategy(options) });
  atEnd(async () => {
    await app.close();
    await jobServer.close();
  });
  await app.listen();
  return { app, jobServer };
}
