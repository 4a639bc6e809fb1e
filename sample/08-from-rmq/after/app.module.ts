import { Module } from '@nestjs/common';
import { ClientsModule } from '@nestjs/microservices';
import { GearmanClient } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { CheckoutService } from './checkout.service.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [
    // Replaces the broker beside the app. If job servers run elsewhere, use `options: { servers: 'jobs:4730' }`, without this line.
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
