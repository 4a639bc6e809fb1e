import { readFileSync } from 'node:fs';
// Not imported from the room's entry point, because that loads Nest.
import { InvalidOptionError } from '../../ground/index.js';
import { nextTicks, readCrontab, readSchedule, type ScheduleTable } from '../../job-server/schedules/index.js';
import { Failure } from '../failure.js';

/** Reads the schedules of `--crontab`. @throws Failure naming the file and what is wrong with it. */
export function readCrontabFile(path: string): ScheduleTable {
  try {
    const table = readCrontab(readFileSync(path, 'utf8'));
    for (const [id, schedule] of Object.entries(table)) readSchedule(id, schedule, Date.now());
    return table;
  } catch (error) {
    if (!(error instanceof InvalidOptionError) && !('syscall' in (error as Error))) throw error;
    throw new Failure(`--crontab ${path}: ${(error as Error).message}`, undefined, { cause: error });
  }
}

/** All schedules with their next three ticks, one line each: `--check-args` prints this. */
export function nextTicksOf(table: ScheduleTable, now: number): string {
  const lines = Object.entries(table).map(([id, options]) => {
    const ticks = nextTicks(readSchedule(id, options, now), now, 3);
    return `${id}: ${ticks.map((tick) => tick.toISOString().replace('.000Z', 'Z')).join(', ') || 'no tick will come'}\n`;
  });
  return lines.join('');
}
