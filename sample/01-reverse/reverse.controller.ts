import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';

/** The worker: each handler is a Gearman function, named by its pattern. */
@Controller()
export class ReverseController {
  @MessagePattern('reverse')
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }
}
