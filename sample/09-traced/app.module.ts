import { Module, type DynamicModule } from '@nestjs/common';
import { GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { GreetController } from './greet.controller.js';
import { ShoutController } from './shout.controller.js';

@Module({})
export class AppModule {
  /** @param shouts whether Nest serves `shout` too; if not, another program does */
  static with(port: number, shouts: boolean): DynamicModule {
    return {
      module: AppModule,
      imports: [
        GearmanJobServerModule.forRoot({ listeners: [{ port }], isGlobal: true }),
        GearmanModule.forRootAsync({
          useFactory: (servers: GearmanJobServer) => ({ servers }),
          inject: [GearmanJobServer],
        }),
      ],
      controllers: shouts ? [GreetController, ShoutController] : [GreetController],
    };
  }
}
