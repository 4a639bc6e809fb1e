import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { GearmanContext, GearmanEvent } from 'nestjs-gearman';
import { GearmanSchedule } from 'nestjs-gearman/job-server';

/** The worker. A job may run twice, so doing the work of a tick again must do no harm. */
@Controller()
export class ReportsController {
  @GearmanEvent('report')
  @GearmanSchedule('*/2 * * * * *', { missed: 'all', overlap: 'queue', workload: { json: { format: 'short' } } })
  report(@Payload() { format }: { format: string }, @Ctx() { unique }: GearmanContext): void {
    // The unique is `report@SECONDS`, the moment that the report is about, whenever the job runs.
    const tick = new Date(Number(unique.split('@')[1]) * 1_000);
    console.log(`report ${tick.toISOString()} (${format})`);
  }

  @GearmanEvent('digest')
  @GearmanSchedule('0 7 * * mon-fri', { timeZone: 'Europe/Berlin', workload: { json: 'weekday' } })
  digest(@Payload() _kind: string): void {
    console.log('digest');
  }
}
