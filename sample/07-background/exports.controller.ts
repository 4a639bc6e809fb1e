import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, Header, HttpCode, NotFoundException, Param, ParseIntPipe, Post } from '@nestjs/common';
import { GearmanClient, GearmanRecordBuilder } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { ExportFiles } from './export-files.js';
import { exportRows } from './functions.js';

/** The state of an export. */
export type ExportState = { state: 'waiting' | 'done' } | { state: 'running'; percent: number };

/** The HTTP side: it answers at once, and later tells how far the job is. It stores nothing, because the unique identifies the job. */
@Controller('exports')
export class ExportsController {
  constructor(
    private readonly gearman: GearmanClient,
    private readonly files: ExportFiles,
  ) {}

  @Post()
  @HttpCode(202)
  async start(@Body('rows', ParseIntPipe) rows: number): Promise<{ status: string; file: string }> {
    const id = randomUUID();
    await firstValueFrom(this.gearman.emit(exportRows, new GearmanRecordBuilder({ rows }).setUnique(id).build()));
    return { status: `/exports/${id}/status`, file: `/exports/${id}/file` };
  }

  @Get(':id/status')
  async status(@Param('id') id: string): Promise<ExportState> {
    if (this.files.has(id)) return { state: 'done' };
    const { isKnown, isRunning, numerator, denominator } = await this.gearman.statusByUnique(id);
    if (isRunning) return { state: 'running', percent: Math.floor((100 * numerator) / (denominator || 1)) };
    if (isKnown) return { state: 'waiting' };
    if (this.files.has(id)) return { state: 'done' }; // it ended between the two questions
    throw new NotFoundException('no such export, or it has failed');
  }

  @Get(':id/file')
  @Header('Content-Type', 'text/csv')
  file(@Param('id') id: string): string {
    const file = this.files.get(id);
    if (file === undefined) throw new NotFoundException();
    return file;
  }
}
