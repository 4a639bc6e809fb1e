import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { ReportsController } from './reports.controller.js';

/** The folder in which jobs and the state of schedules survive the process. */
const FOLDER = process.env['FOLDER'] ?? join(tmpdir(), 'sample-11-schedules');

@Module({
  imports: [
    GearmanJobServerModule.forRoot({
      listeners: [{ port: Number(process.env['GEARMAN_PORT'] ?? 4730) }],
      storage: { type: 'file', path: FOLDER },
    }),
  ],
  controllers: [ReportsController],
})
export class AppModule {}
