import { crc32 } from 'node:zlib';
import type { StoredJob } from '../../stored-job.js';
import { RecordError, RecordReader, RecordWriter, stringBytes, varintBytes } from '../record-bytes.js';
import { asPriority, jobBytes, readJob, writeJob } from '../record-codec.js';

/** Checksum of all that follows, length of all, number. */
const HEADER_BYTES = 4 + 4 + 6;

/** What the next bytes of a record's body are. */
const END = 0;
const QUEUE = 1;
const JOB = 2;

/** What a journal is told from others by: a secret number, so that no workload can pass for a record. */
export type JournalSeed = number;

/**
 * The bytes of a record: new jobs that are accepted together.
 *
 *   checksum | length | number | ( QUEUE function priority | JOB sequence time length job )... END
 */
export function journalBytes(number: number, seed: JournalSeed, jobs: readonly StoredJob[]): Buffer {
  const lengths = jobs.map(jobBytes);
  let size = HEADER_BYTES + 1;
  jobs.forEach((job, index) => {
    if (!isSameQueue(job, jobs[index - 1])) size += 2 + stringBytes(job.function);
    const length = lengths[index]!;
    size += 1 + varintBytes(job.sequence) + varintBytes(job.at) + varintBytes(length) + length;
  });
  const writer = new RecordWriter(size);
  const { bytes } = writer;
  writer.skip(HEADER_BYTES);
  jobs.forEach((job, index) => {
    if (!isSameQueue(job, jobs[index - 1])) {
      writer.byte(QUEUE);
      writer.string(job.function);
      writer.byte(job.priority);
    }
    writer.byte(JOB);
    writer.varint(job.sequence);
    writer.varint(job.at);
    writer.varint(lengths[index]!);
    writeJob(writer, job);
  });
  writer.byte(END);
  bytes.writeUInt32BE(size, 4);
  bytes.writeUIntBE(number, 8, 6);
  bytes.writeUInt32BE(crc32(bytes.subarray(4), seed), 0);
  return bytes;
}

/** What a page of a journal says of a record that begins there; undefined where none can. */
export function journalHeaderAt(file: Buffer, offset: number): { number: number; bytes: Buffer } | undefined {
  if (offset + HEADER_BYTES > file.length) return undefined;
  const length = file.readUInt32BE(offset + 4);
  if (length <= HEADER_BYTES || offset + length > file.length) return undefined;
  return { number: file.readUIntBE(offset + 8, 6), bytes: file.subarray(offset, offset + length) };
}

/** Whether a record is as it was written. */
export function isWhole(record: Buffer, seed: JournalSeed): boolean {
  return crc32(record.subarray(4), seed) === record.readUInt32BE(0);
}

/** The jobs of a record that is whole. */
export function journaledJobs(record: Buffer): StoredJob[] {
  return [...jobsIn(record.subarray(HEADER_BYTES))];
}

function* jobsIn(body: Buffer): Generator<StoredJob> {
  const reader = new RecordReader(body);
  let queue: Pick<StoredJob, 'function' | 'priority'> | undefined;
  for (let tag = reader.byte(); tag !== END; tag = reader.byte()) {
    if (tag === QUEUE) queue = { function: reader.string(), priority: asPriority(reader.byte()) };
    else if (tag === JOB && queue) {
      const [sequence, at] = [reader.varint(), reader.varint()];
      yield { ...readJob(new RecordReader(reader.part(reader.varint()))), ...queue, at, sequence };
    } else throw new RecordError('the journal says nothing that is known');
  }
}

function isSameQueue(job: StoredJob, other: StoredJob | undefined): boolean {
  return job.function === other?.function && job.priority === other.priority;
}
