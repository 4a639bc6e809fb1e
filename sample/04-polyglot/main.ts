import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { AppModule } from './app.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  logger: ['error', 'warn'],
  useFactory: (servers: GearmanJobServer) => ({ strategy: new GearmanStrategy({ servers }) }),
  inject: [GearmanJobServer],
});
app.enableShutdownHooks();
await app.listen();
console.log(`The job server listens on ${app.get(GearmanJobServer).addresses.join(', ')}.`);
