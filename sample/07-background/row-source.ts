import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** The source of the rows: slow, like a database. */
@Injectable()
export class RowSource {
  async *rows(count: number): AsyncGenerator<string> {
    for (let row = 1; row <= count; row++) {
      await sleep(10);
      yield `${row},${row * row}`;
    }
  }
}
