import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { GearmanFunction } from 'nestjs-gearman';
import { shout } from './functions.js';

/** Does the same as worker.php, for machines without PHP. */
@Controller()
export class ShoutController {
  @GearmanFunction(shout)
  shout(@Payload() text: string): string {
    return text.toUpperCase();
  }
}
