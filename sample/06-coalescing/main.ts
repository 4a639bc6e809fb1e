import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { AppModule } from './app.module.js';
import { ReportController } from './report.controller.js';
import { ReportService } from './report.service.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  logger: ['error', 'warn'],
  useFactory: (servers: GearmanJobServer) => ({ strategy: new GearmanStrategy({ servers }) }),
  inject: [GearmanJobServer],
});
await app.listen();
const reports = app.get(ReportService);
const worker = app.get(ReportController);

await measure('without a unique', 100, () => reports.report('2026-07'));
await measure('with a unique', 1000, () => reports.sharedReport('2026-07'));
await app.close();

/** Lets many callers ask at the same moment, and prints the cost. */
async function measure(title: string, callers: number, ask: () => Promise<string>): Promise<void> {
  const before = { runs: worker.runs, time: performance.now() };
  const answers = await Promise.all(Array.from({ length: callers }, ask));
  const took = Math.round(performance.now() - before.time);
  const runs = worker.runs - before.runs;
  const s = runs === 1 ? '' : 's';
  console.log(`${title}: ${callers} callers, ${runs} run${s}, ${answers.length} answers in ${took} ms`);
}
