import { Module } from '@nestjs/common';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { CheckoutService } from './checkout.service.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [
    ClientsModule.register([
      { name: 'ORDERS', transport: Transport.RMQ, options: { urls: ['amqp://localhost:5672'], queue: 'orders' } },
    ]),
  ],
  controllers: [OrdersController],
  providers: [CheckoutService],
})
export class AppModule {}
