import { Injectable } from '@nestjs/common';
import { GearmanClient, GearmanRecordBuilder } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { buildReport } from './functions.js';

@Injectable()
export class ReportService {
  constructor(private readonly gearman: GearmanClient) {}

  /** Every call is a job of its own. */
  report(month: string): Promise<string> {
    return firstValueFrom(this.gearman.send(buildReport, month));
  }

  /** Calls for the same month, from any process, share one job while it waits or runs. */
  sharedReport(month: string): Promise<string> {
    const record = new GearmanRecordBuilder(month).setUnique(`report-${month}`).build();
    return firstValueFrom(this.gearman.send(buildReport, record));
  }
}
