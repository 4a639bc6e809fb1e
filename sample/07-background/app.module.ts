import { Module } from '@nestjs/common';
import { GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { ExportFiles } from './export-files.js';
import { ExportWorker } from './export.worker.js';
import { ExportsController } from './exports.controller.js';
import { RowSource } from './row-source.js';

@Module({
  imports: [
    GearmanJobServerModule.forRoot({ listeners: [], isGlobal: true }),
    GearmanModule.forRootAsync({
      useFactory: (servers: GearmanJobServer) => ({ servers }),
      inject: [GearmanJobServer],
    }),
  ],
  controllers: [ExportsController, ExportWorker],
  providers: [ExportFiles, RowSource],
})
export class AppModule {}
