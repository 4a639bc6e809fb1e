import { Module, type DynamicModule } from '@nestjs/common';
import { GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { ReverseController } from './reverse.controller.js';
import { ReverseService } from './reverse.service.js';

/** Job server, worker and client in one app. Among themselves they need no port; the port is for others. */
@Module({ controllers: [ReverseController], providers: [ReverseService] })
export class AppModule {
  static onPort(port: number): DynamicModule {
    return {
      module: AppModule,
      imports: [
        GearmanJobServerModule.forRoot({ listeners: [{ port }], isGlobal: true }),
        GearmanModule.forRootAsync({
          useFactory: (jobServer: GearmanJobServer) => ({ servers: jobServer, format: 'text' }),
          inject: [GearmanJobServer],
        }),
      ],
    };
  }
}
