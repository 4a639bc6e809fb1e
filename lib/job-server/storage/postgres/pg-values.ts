import { createHash } from 'node:crypto';
import type { StoredJob, StoredPriority } from '../stored-job.js';
import type { PgRow } from './pg-package.js';

/** Above this a workload stays bytes; below, a byte string is the cheaper form. */
const SMALL = 1_024;

/** The longest unique that stands in the index itself; of a longer one its digest does. */
const MAX_KEY = 64;

const OID = { bytea: 17, int8: 20, int4: 23 } as const;

/** An array of bytea, as PostgreSQL's binary format has it: `pg` sends a Buffer as it is. */
export function bytesArray(values: readonly (string | Uint8Array | undefined)[]): Buffer {
  let length = 20;
  for (const value of values) length += 4 + (value?.length ?? 0);
  const array = arrayOf(OID.bytea, values.length, length);
  let at = 20;
  for (const value of values) {
    at = array.writeInt32BE(value === undefined ? -1 : value.length, at);
    if (typeof value === 'string') at += array.write(value, at, 'latin1');
    else if (value) {
      array.set(value, at);
      at += value.length;
    }
  }
  return array;
}

/** An array of int4. */
export function intArray(values: readonly number[]): Buffer {
  const array = arrayOf(OID.int4, values.length, 20 + values.length * 8);
  let at = 20;
  for (const value of values) at = array.writeInt32BE(value, array.writeInt32BE(4, at));
  return array;
}

/** An array of int8, of whole numbers. */
export function bigArray(values: readonly (number | bigint | undefined)[]): Buffer {
  let length = 20;
  for (const value of values) length += value === undefined ? 4 : 12;
  const array = arrayOf(OID.int8, values.length, length);
  let at = 20;
  for (const value of values) {
    at = array.writeInt32BE(value === undefined ? -1 : 8, at);
    if (value !== undefined) at = array.writeBigInt64BE(BigInt(value), at);
  }
  return array;
}

/** A byte string as a parameter. */
export function bytes(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

/** What stands for a unique in the index; none for a job without one. */
export function uniqueKey(unique: string): Buffer | undefined {
  if (unique === '') return undefined;
  return unique.length <= MAX_KEY ? bytes(unique) : createHash('sha256').update(bytes(unique)).digest();
}

/** A unique that does not stand in the index itself. */
export function longUnique(unique: string): string | undefined {
  return unique.length > MAX_KEY ? unique : undefined;
}

/** The columns of {@link jobOf}, of the table `job j` or `dead j`. */
export const JOB_COLUMNS =
  'j.handle, j.function, j.priority, j.seq, j.at, j.attempts, j.losses, j.unique_key, j.unique_long, j.reducer, j.workload, j.accepted';

/** The parameters of `jobArrays`, from $1 on, and the columns they make. */
export const NEW_JOBS = {
  values:
    '$1::bytea[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bigint[]',
  columns: 'handle, at, function, attempts, losses, priority, unique_key, unique_long, reducer, workload, accepted',
} as const;

/** The whole numbers of an array that PostgreSQL made a text of, with commas. */
export function numbersIn(text: string): number[] {
  return text.split(',').map(Number);
}

/** A workload out of bytes that were read, which it does not keep alive. */
export function workloadIn(all: Buffer, start: number, end: number): string | Buffer {
  return end - start <= SMALL ? all.toString('latin1', start, end) : Buffer.from(all.subarray(start, end));
}

/** The job in a row. */
export function jobOf(row: PgRow, functionName: string): StoredJob {
  const fields = row as JobRow;
  const { workload, accepted } = fields;
  return {
    handle: fields.handle.toString('latin1'),
    function: functionName,
    unique: (fields.unique_long ?? fields.unique_key)?.toString('latin1') ?? '',
    priority: fields.priority,
    workload: workload.length <= SMALL ? workload.toString('latin1') : workload,
    reducer: fields.reducer.toString('latin1'),
    at: Number(fields.at),
    attempts: fields.attempts,
    losses: fields.losses,
    acceptedAt: accepted === null ? undefined : Number(accepted),
    sequence: Number(fields.seq),
  };
}

interface JobRow {
  readonly handle: Buffer;
  readonly priority: StoredPriority;
  readonly seq: string;
  readonly at: string;
  readonly attempts: number;
  readonly losses: number;
  readonly unique_key: Buffer | null;
  readonly unique_long: Buffer | null;
  readonly reducer: Buffer;
  readonly workload: Buffer;
  readonly accepted: string | null;
}

function arrayOf(element: number, count: number, length: number): Buffer {
  const array = Buffer.allocUnsafe(length);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(1, 4);
  array.writeInt32BE(element, 8);
  array.writeInt32BE(count, 12);
  array.writeInt32BE(1, 16);
  return array;
}
