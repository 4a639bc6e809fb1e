import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { AppModule } from './app.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  logger: ['error', 'warn'],
  useFactory: (jobServer: GearmanJobServer) => ({ strategy: new GearmanStrategy({ servers: jobServer }) }),
  inject: [GearmanJobServer],
});
app.enableShutdownHooks();
await app.listen();
for (const { id, nextTick } of app.get(GearmanJobServer).schedules.list()) {
  console.log(`${id}: next at ${new Date(nextTick!).toISOString()}`);
}
