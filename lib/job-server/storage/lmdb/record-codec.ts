import type { DeadLetter, JobOutcome, NewJob, StoredJob, StoredPriority } from '../stored-job.js';
import { jobHome, pastHome, type Home } from './keys.js';
import { RecordError, RecordReader, RecordWriter, stringBytes, varintBytes } from './record-bytes.js';

/** How a table's values are written and read: what `lmdb` calls an encoder. */
export interface ValueCodec<Value> {
  encode(value: Value): Buffer;
  /** Bytes are LMDB's own, valid for the moment. */
  decode(bytes: Buffer): Value;
}

/** What a job's record holds: all that its key does not say. */
export type JobRecord = Pick<NewJob, 'handle' | 'unique' | 'reducer' | 'attempts' | 'losses' | 'workload'>;

/** What a dead letter's record holds. */
export type DeadRecord = Pick<DeadLetter, 'error'> & {
  readonly job: JobRecord & Pick<NewJob, 'function' | 'priority' | 'at'>;
};

/** What a kept result's record holds. */
export type EndedRecord = Pick<NewJob, 'handle' | 'function'> & { readonly outcome: Omit<JobOutcome, 'keepUntil'> };

/** A job: attempts, losses, handle, unique, reducer, workload. */
export const jobValues: ValueCodec<JobRecord> = {
  encode(job) {
    const writer = new RecordWriter(jobBytes(job));
    writeJob(writer, job);
    return writer.bytes;
  },
  decode: (bytes) => readJob(new RecordReader(bytes)),
};

/** A dead letter: function, priority, time, error, then as a job. */
export const deadValues: ValueCodec<DeadRecord> = {
  encode({ job, error }) {
    const text = Buffer.from(error, 'utf8').toString('latin1');
    const writer = new RecordWriter(
      stringBytes(job.function) + 1 + varintBytes(job.at) + stringBytes(text) + jobBytes(job),
    );
    writer.string(job.function);
    writer.byte(job.priority);
    writer.varint(job.at);
    writer.string(text);
    writeJob(writer, job);
    return writer.bytes;
  },
  decode(bytes) {
    const reader = new RecordReader(bytes);
    const name = reader.string();
    const priority = asPriority(reader.byte());
    const at = reader.varint();
    const error = Buffer.from(reader.string(), 'latin1').toString('utf8');
    return { job: { ...readJob(reader), function: name, priority, at }, error };
  },
};

/** A kept result: state, handle, function, result. */
export const endedValues: ValueCodec<EndedRecord> = {
  encode({ handle, function: name, outcome: { state, result } }) {
    const writer = new RecordWriter(1 + stringBytes(handle) + stringBytes(name) + result.length);
    writer.byte(state === 'complete' ? 1 : 0);
    writer.string(handle);
    writer.string(name);
    writer.rest(result);
    return writer.bytes;
  },
  decode(bytes) {
    const reader = new RecordReader(bytes);
    const state = reader.byte() === 1 ? 'complete' : 'failed';
    const handle = reader.string();
    const name = reader.string();
    return { handle, function: name, outcome: { state, result: reader.rest() } };
  },
};

const TABLES = ['jobs', 'dead', 'ended'] as const;

/** Where a handle's record is: table, priority, function, time, sequence. */
export const homeValues: ValueCodec<Home> = {
  encode({ table, priority, functionId, time, sequence }) {
    const writer = new RecordWriter(2 + varintBytes(functionId) + varintBytes(time) + varintBytes(sequence));
    writer.byte(TABLES.indexOf(table));
    writer.byte(priority);
    writer.varint(functionId);
    writer.varint(time);
    writer.varint(sequence);
    return writer.bytes;
  },
  decode(bytes) {
    const reader = new RecordReader(bytes);
    const table = TABLES[reader.byte()];
    const [priority, functionId, time, sequence] = [reader.byte(), reader.varint(), reader.varint(), reader.varint()];
    if (!table) throw new RecordError('a handle leads to no table');
    return table === 'jobs' ? jobHome(functionId, priority, time, sequence) : pastHome(table, time, sequence);
  },
};

/** Which handles a pack has. */
export interface Packed {
  readonly home: Home;
  /** Its last handle. */
  readonly last: string;
  /** The write it came with: only packs of the same write may have handles between its own. */
  readonly write: number;
}

/** Where a pack is, its write, its last handle. */
export const packedValues: ValueCodec<Packed> = {
  encode({ home: { priority, functionId, sequence }, last, write }) {
    const bytes = 1 + varintBytes(functionId) + varintBytes(sequence) + varintBytes(write) + stringBytes(last);
    const writer = new RecordWriter(bytes);
    writer.byte(priority);
    writer.varint(functionId);
    writer.varint(sequence);
    writer.varint(write);
    writer.string(last);
    return writer.bytes;
  },
  decode(bytes) {
    const reader = new RecordReader(bytes);
    const [priority, functionId, sequence, write] = [reader.byte(), reader.varint(), reader.varint(), reader.varint()];
    return { home: jobHome(functionId, priority, 0, sequence), write, last: reader.string() };
  },
};

/** A byte string. */
export const stringValues: ValueCodec<string> = {
  encode: (value) => Buffer.from(value, 'latin1'),
  decode: (bytes) => bytes.toString('latin1', 0, bytes.length),
};

/** Any text. */
export const textValues: ValueCodec<string> = {
  encode: (value) => Buffer.from(value, 'utf8'),
  decode: (bytes) => bytes.toString('utf8', 0, bytes.length),
};

/** Whole numbers from 0. */
export const numberValues: ValueCodec<readonly number[]> = {
  encode(values) {
    const writer = new RecordWriter(values.reduce((sum, value) => sum + varintBytes(value), 0));
    for (const value of values) writer.varint(value);
    return writer.bytes;
  },
  decode(bytes) {
    const reader = new RecordReader(bytes);
    const values: number[] = [];
    while (!reader.isAtEnd) values.push(reader.varint());
    return values;
  },
};

/** A priority read from a file. */
export function asPriority(value: number): StoredPriority {
  if (value !== 0 && value !== 1 && value !== 2) throw new RecordError(`the priority is ${value}, not 0, 1 or 2`);
  return value;
}

/** The job of a record and its key. */
export function storedJob(home: Home, record: JobRecord, functionName: string): StoredJob {
  const { handle, unique, workload, reducer, attempts, losses } = record;
  const { time: at, sequence } = home;
  const priority = asPriority(home.priority);
  return { handle, function: functionName, unique, priority, workload, reducer, at, attempts, losses, sequence };
}

/** How many bytes a job's record takes. */
export function jobBytes(job: JobRecord): number {
  return (
    varintBytes(job.attempts) +
    varintBytes(job.losses) +
    stringBytes(job.handle) +
    stringBytes(job.unique) +
    stringBytes(job.reducer) +
    job.workload.length
  );
}

/** Writes a job's record. */
export function writeJob(writer: RecordWriter, job: JobRecord): void {
  writer.varint(job.attempts);
  writer.varint(job.losses);
  writer.string(job.handle);
  writer.string(job.unique);
  writer.string(job.reducer);
  writer.rest(job.workload);
}

/** Reads a job's record. */
export function readJob(reader: RecordReader): JobRecord {
  const attempts = reader.varint();
  const losses = reader.varint();
  const handle = reader.string();
  const unique = reader.string();
  const reducer = reader.string();
  return { attempts, losses, handle, unique, reducer, workload: reader.rest() };
}
