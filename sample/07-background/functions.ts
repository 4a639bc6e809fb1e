import { defineFunction } from 'nestjs-gearman';

/** Writes so many rows into a file, which is named by the job's unique. */
export const exportRows = defineFunction<{ rows: number }, void>('export_rows', { format: 'json' });
