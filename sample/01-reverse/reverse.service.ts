import { Injectable } from '@nestjs/common';
import { GearmanClient } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';

/** The client: any service that injects it can submit jobs. */
@Injectable()
export class ReverseService {
  constructor(private readonly gearman: GearmanClient) {}

  reverse(text: string): Promise<string> {
    return firstValueFrom(this.gearman.send<string>('reverse', text));
  }
}
