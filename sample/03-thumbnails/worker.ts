import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GearmanStrategy } from 'nestjs-gearman';
import { ThumbnailsController } from './thumbnails.controller.js';

@Module({ controllers: [ThumbnailsController] })
class WorkerModule {}

// One job at a time, because an image uses a whole processor, and another process may have a free one.
const strategy = new GearmanStrategy({
  servers: process.env.GEARMAN_SERVERS,
  concurrency: 1,
  clientId: `worker-${process.pid}`,
});
const app = await NestFactory.createMicroservice(WorkerModule, { strategy, logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen();
// Ends with the process that started it, however that one ends.
process.on('disconnect', () => void app.close());
