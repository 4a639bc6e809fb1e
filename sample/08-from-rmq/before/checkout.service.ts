import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy, RmqRecordBuilder } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type { Order } from '../order.js';

@Injectable()
export class CheckoutService {
  constructor(@Inject('ORDERS') private readonly orders: ClientProxy) {}

  async checkout(order: Order): Promise<number> {
    const price = await firstValueFrom(this.orders.send<number>('price', order));
    await firstValueFrom(this.orders.emit('pack', new RmqRecordBuilder(order).setOptions({ priority: 9 }).build()));
    return price;
  }
}
