import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { AppModule } from './app.module.js';
import { CheckoutService } from './checkout.service.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  logger: ['error', 'warn'],
  useFactory: (servers: GearmanJobServer) => ({ strategy: new GearmanStrategy({ servers, concurrency: 10 }) }),
  inject: [GearmanJobServer],
});
await app.listen();
console.log(`price: ${await app.get(CheckoutService).checkout({ item: 'pen', pieces: 3 })} cents`);
await app.close();
