import { Module } from '@nestjs/common';
import { GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { ImageStore } from './image-store.js';
import { ImagesController } from './images.controller.js';
import { WorkerProcesses } from './worker-processes.js';

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
  controllers: [ImagesController],
  providers: [ImageStore, WorkerProcesses],
})
export class AppModule {}
