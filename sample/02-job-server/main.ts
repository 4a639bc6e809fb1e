import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { JobServerAppModule } from './job-server-app.module.js';

try {
  const app = await NestFactory.createApplicationContext(JobServerAppModule, { abortOnError: false });
  app.enableShutdownHooks();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
