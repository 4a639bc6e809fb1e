import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { GearmanClient, GearmanFunction } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { countWords, describeText, type Report } from './functions.js';

/** Both sides: a worker for the PHP client, and a client of the Perl or C worker. */
@Controller()
export class DescribeController {
  constructor(private readonly gearman: GearmanClient) {}

  @GearmanFunction(describeText)
  async describe(@Payload() { text }: { text: string }): Promise<Report> {
    const words = Number(await firstValueFrom(this.gearman.send(countWords, text)));
    return { title: text.charAt(0).toUpperCase() + text.slice(1), words };
  }
}
