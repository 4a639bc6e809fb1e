import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { GearmanRecordBuilder } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import type { Order } from '../order.js';

@Injectable()
export class CheckoutService {
  constructor(@Inject('ORDERS') private readonly orders: ClientProxy) {}

  async checkout(order: Order): Promise<number> {
    const price = await firstValueFrom(this.orders.send<number>('price', order));
    await firstValueFrom(this.orders.emit('pack', new GearmanRecordBuilder(order).setPriority('high').build()));
    return price;
  }
}
