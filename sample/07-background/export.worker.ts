import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { GearmanContext, GearmanEvent } from 'nestjs-gearman';
import { ExportFiles } from './export-files.js';
import { exportRows } from './functions.js';
import { RowSource } from './row-source.js';

/** The worker. Nobody waits for its jobs, so it stores its results where others find them. */
@Controller()
export class ExportWorker {
  constructor(
    private readonly source: RowSource,
    private readonly files: ExportFiles,
  ) {}

  @GearmanEvent(exportRows)
  async export(@Payload() { rows }: { rows: number }, @Ctx() context: GearmanContext): Promise<void> {
    const lines: string[] = [];
    for await (const line of this.source.rows(rows)) context.progress(lines.push(line), rows);
    // Jobs run at least once, so a second run may write the same file again.
    this.files.set(context.unique, lines.join('\n'));
  }
}
