import { defineFunction } from 'nestjs-gearman';

/** Builds the report of a month. */
export const buildReport = defineFunction<string, string>('build_report', { format: 'text' });

/** How long building takes, in milliseconds. */
export const WORK = 500;
