import { handlePrefix } from '../../job-server/handle-prefix.js';
import { storedUnique } from '../../job-server/durable/index.js';
import { MAX_TIME, type StoredPriority } from '../../job-server/storage/index.js';
import { Unfit, originOf, type Incoming, type Source } from './incoming.js';

/** A row of gearmand's queue table, as the database returns it. */
export interface GearmandRow {
  readonly unique_key: Uint8Array | null;
  readonly function_name: Uint8Array | null;
  /** 0 high, 1 normal, 2 low. */
  readonly priority: number | bigint | null;
  /** The workload; NULL for an empty one. */
  readonly data: Uint8Array | null;
  /** In seconds since 1970; 0 means at once. */
  readonly when_to_run: number | bigint | null;
}

/** A table of gearmand's, read row by row. */
export interface GearmandTable {
  /** Identifies this table among all others, whichever way it is read. */
  readonly name: string;
  rows(): AsyncIterable<GearmandRow>;
}

const NOTHING = new Uint8Array(0);

/**
 * The jobs of gearmand's table. A row is identified by its whole content and its
 * table's name: gearmand keeps one row for each function and unique, so two rows
 * of one table are never equal.
 */
export async function* jobsOfTable({ name, rows }: GearmandTable): Source {
  const prefix = handlePrefix();
  let counter = 0;
  for await (const row of rows()) yield jobOfRow(row, `${prefix}${++counter}`, name);
}

/** The job of a row. gearmand stores a job whose workload is its key with the unique `-`. */
export function jobOfRow(row: GearmandRow, handle: string, table: string): Incoming | Unfit {
  const [uniqueBytes, name] = [row.unique_key ?? NOTHING, row.function_name ?? NOTHING];
  const [priority, when] = [Number(row.priority ?? 1), Number(row.when_to_run ?? 0)];
  const workload = row.data ?? NOTHING;
  const functionName = bytesAsString(name);
  if (!isPriority(priority)) return unfit(row, `its priority is ${priority}, not 0, 1 or 2`);
  if (functionName === '') return unfit(row, 'it has no function');
  if (!(when >= 0 && when * 1_000 <= MAX_TIME)) return unfit(row, `its time is ${when}, no seconds since 1970`);
  const job = {
    handle,
    function: functionName,
    unique: storedUnique({ unique: bytesAsString(uniqueBytes), workload }),
    priority,
    workload,
    reducer: '',
    at: when * 1_000,
    attempts: 0,
    losses: 0,
  };
  return { job, origin: originOf('gearmand', table, uniqueBytes, name, `${priority}`, `${when}`, workload) };
}

function isPriority(value: number): value is StoredPriority {
  return value === 0 || value === 1 || value === 2;
}

function unfit({ unique_key, function_name }: GearmandRow, why: string): Unfit {
  const [unique, name] = [unique_key, function_name].map((bytes) => JSON.stringify(textOf(bytes ?? NOTHING)));
  return new Unfit(`unique_key ${unique}, function_name ${name}: ${why}`);
}

function bytesAsString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
