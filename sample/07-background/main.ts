import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'], forceCloseConnections: true });
// A hybrid app: web server, worker and job server in one process.
app.connectMicroservice({ strategy: new GearmanStrategy({ servers: app.get(GearmanJobServer) }) });
app.enableShutdownHooks();
await app.startAllMicroservices();
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
console.log(`Start an export: curl -d rows=1000 ${await app.getUrl()}/exports`);
