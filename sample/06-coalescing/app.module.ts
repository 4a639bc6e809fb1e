import { Module } from '@nestjs/common';
import { GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { ReportController } from './report.controller.js';
import { ReportService } from './report.service.js';

@Module({
  imports: [
    GearmanJobServerModule.forRoot({ listeners: [], isGlobal: true }),
    GearmanModule.forRootAsync({
      useFactory: (servers: GearmanJobServer) => ({ servers }),
      inject: [GearmanJobServer],
    }),
  ],
  controllers: [ReportController],
  providers: [ReportService],
})
export class AppModule {}
