import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';

// One job server, in a process of its own; it tells its parent process where it listens.
const listeners = [{ port: Number(process.argv[2]) }];
const app = await NestFactory.createApplicationContext(GearmanJobServerModule.forRoot({ listeners }), {
  logger: ['error', 'warn'],
});
process.on('disconnect', () => void app.close());
process.send?.(app.get(GearmanJobServer).port);
