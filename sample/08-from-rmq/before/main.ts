import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { AppModule } from './app.module.js';
import { CheckoutService } from './checkout.service.js';

const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
  logger: ['error', 'warn'],
  transport: Transport.RMQ,
  options: { urls: ['amqp://localhost:5672'], queue: 'orders', noAck: false, prefetchCount: 10 },
});
await app.listen();
console.log(`price: ${await app.get(CheckoutService).checkout({ item: 'pen', pieces: 3 })} cents`);
await app.close();
