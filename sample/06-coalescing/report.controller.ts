import { setTimeout as sleep } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { GearmanFunction } from 'nestjs-gearman';
import { buildReport, WORK } from './functions.js';

/** The worker, with something slow to do. */
@Controller()
export class ReportController {
  /** How many jobs it has run. */
  runs = 0;

  @GearmanFunction(buildReport, { concurrency: 50 })
  async build(@Payload() month: string): Promise<string> {
    const run = ++this.runs;
    await sleep(WORK);
    return `report of ${month}, made by run ${run}`;
  }
}
