import { Module } from '@nestjs/common';
import { ClientsModule } from '@nestjs/microservices';
import { GearmanClient } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { CheckoutService } from './checkout.service.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [
    // Instead of a broker beside the app. With job servers elsewhere: `options: { servers: 'jobs:4730' }`, and without this.
    GearmanJobServerModule.forRoot({ listeners: [], isGlobal: true }),
    ClientsModule.registerAsync([
      {
        name: 'ORDERS',
        useFactory: (servers: GearmanJobServer) => ({ customClass: GearmanClient, options: { servers } }),
        inject: [GearmanJobServer],
      },
    ]),
  ],
  controllers: [OrdersController],
  providers: [CheckoutService],
})
export class AppModule {}
