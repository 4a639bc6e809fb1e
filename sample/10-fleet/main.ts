import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GearmanClient, GearmanModule, GearmanStrategy, type JobIdentity } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { openDatabase } from './database.js';
import { InvoicesController } from './invoices.controller.js';
import { JobServerProcess } from './job-server-process.js';

const JOBS = 2_000;
const IN_FLIGHT = 50;

const database = await openDatabase();
const one = await JobServerProcess.start('one', database.url);
const two = await JobServerProcess.start('two', database.url);

// The client uses the first one that is reachable; the worker serves only the second one.
@Module({
  imports: [GearmanModule.forRoot({ servers: [one.address, two.address] })],
  controllers: [InvoicesController],
})
class AppModule {}

const strategy = new GearmanStrategy({ servers: two.address });
const app = await NestFactory.createMicroservice(AppModule, { strategy, logger: ['error'] });
await app.listen();
const client = app.get(GearmanClient);
const { sent } = app.get(InvoicesController);
await until(() => client.health().servers.length === 2);

const accepted = { [one.address]: 0, [two.address]: 0 };
let next = 0;
let killed: Promise<void> | undefined;
await Promise.all(Array.from({ length: IN_FLIGHT }, submitOneAfterTheOther));
await killed;
console.log(`one accepted ${accepted[one.address]} jobs and was killed, two accepted ${accepted[two.address]}`);
await until(() => sent.size === JOBS);
console.log(`${sent.size} of ${JOBS} jobs are done`);

await app.close();
await two.stop();
await database.stop();

async function submitOneAfterTheOther(): Promise<void> {
  while (next < JOBS) {
    const submitted = firstValueFrom(client.emit<JobIdentity>('invoice.send', next++));
    if (next === JOBS / 2) killed = one.kill();
    const { server } = await submitted;
    accepted[server]!++;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  await client.connect();
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
