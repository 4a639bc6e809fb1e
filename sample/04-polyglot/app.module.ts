import { Module } from '@nestjs/common';
import { GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { DescribeController } from './describe.controller.js';

@Module({
  imports: [
    GearmanJobServerModule.forRoot({
      listeners: [{ port: Number(process.env.GEARMAN_PORT ?? 4730) }],
      isGlobal: true,
    }),
    GearmanModule.forRootAsync({
      useFactory: (servers: GearmanJobServer) => ({ servers }),
      inject: [GearmanJobServer],
    }),
  ],
  controllers: [DescribeController],
})
export class AppModule {}
