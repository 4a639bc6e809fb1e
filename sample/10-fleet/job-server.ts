import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';

// One job server of the fleet, in a process of its own; it tells its parent process where it listens.
const [name, url] = process.argv.slice(2) as [string, string];
const module = GearmanJobServerModule.forRoot({
  listeners: [{ port: 0 }],
  storage: { type: 'postgres', url, schema: 'gearman_sample', name },
});
const app = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
process.on('disconnect', () => void app.close().then(() => process.exit()));
process.send?.(app.get(GearmanJobServer).port);
