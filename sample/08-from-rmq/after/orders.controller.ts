import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { PRICES, type Order } from '../order.js';

@Controller()
export class OrdersController {
  readonly packed: Order[] = [];

  @MessagePattern('price')
  price(@Payload() { item, pieces }: Order): number {
    return (PRICES[item] ?? 0) * pieces;
  }

  @EventPattern<string>('pack')
  async pack(@Payload() order: Order): Promise<void> {
    this.packed.push(order);
  }
}
