import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { JobServerAppModule } from './job-server-app.module.js';

const app = await NestFactory.createApplicationContext(JobServerAppModule);
app.enableShutdownHooks();
