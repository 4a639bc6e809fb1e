import { Controller, Get, Param } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { GearmanClient, GearmanFunction } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { greet, shout } from './functions.js';

/** An HTTP controller, and a worker that is itself a client. No code here is about traces. */
@Controller()
export class GreetController {
  constructor(private readonly gearman: GearmanClient) {}

  @Get('greet/:name')
  ask(@Param('name') name: string): Promise<string> {
    return firstValueFrom(this.gearman.send(greet, name));
  }

  @GearmanFunction(greet)
  async greet(@Payload() name: string): Promise<string> {
    return `Hello ${await firstValueFrom(this.gearman.send(shout, name))}`;
  }
}
