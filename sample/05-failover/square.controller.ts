import { setTimeout as sleep } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { GearmanContext } from 'nestjs-gearman';

/** The worker: it serves all job servers at once, and needs no code for that. */
@Controller()
export class SquareController {
  /** How many jobs it has run. */
  runs = 0;

  @MessagePattern('square')
  async square(@Payload() value: number, @Ctx() context: GearmanContext) {
    this.runs++;
    await sleep(5);
    return { square: value * value, by: context.server };
  }
}
