import { Controller, Injectable } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { GearmanClient } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';

/** A small app to test: a worker, and a service that submits jobs. */
@Controller()
export class Texts {
  readonly printed: string[] = [];

  @MessagePattern('reverse')
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }

  @EventPattern('print')
  print(@Payload() text: string): void {
    this.printed.push(text);
  }
}

@Injectable()
export class TextService {
  constructor(private readonly gearman: GearmanClient) {}

  reverse(text: string): Promise<string> {
    return firstValueFrom(this.gearman.send<string>('reverse', text));
  }

  async print(text: string): Promise<string> {
    return (await firstValueFrom(this.gearman.emit('print', text))).handle;
  }
}
