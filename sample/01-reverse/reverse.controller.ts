import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';

/** The worker: every handler is a Gearman function of its pattern's name. */
@Controller()
export class ReverseController {
  @MessagePattern('reverse')
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }
}
