import { crc32 } from 'node:zlib';
import type { StoredJob } from '../../stored-job.js';
import type { Home, PackName } from '../keys.js';
import { RecordError, RecordReader, RecordWriter, stringBytes } from '../record-bytes.js';
import { Unreadable } from '../record-check.js';
import { jobBytes, readJob, writeJob, type JobRecord, type ValueCodec } from '../record-codec.js';

/** The checksum of the header, and how many jobs there are. */
const START_BYTES = 4 + 2;
/** What the header says of a job: where its record ends, how far its sequence is behind the first, its checksum. */
const JOB_BYTES = 3 * 4;

/**
 * Several jobs of one queue in one row, without times, in their order: they
 * were written together, and are written once. What becomes of them later
 * stands in {@link Marks}.
 *
 *   checksum | count | first handle | count x { end, sequence, checksum } | records
 *
 * The first checksum is the header's; each record has its own, so that a
 * damaged one takes no other with it.
 */
export class Pack {
  readonly name: PackName;
  /** Where the table of jobs begins. */
  private readonly table: number;
  /** Where the records begin. */
  private readonly records: number;

  /** Throws a {@link RecordError} for a header that is not as it was written. */
  constructor(
    private readonly bytes: Buffer,
    home: Home,
  ) {
    const { length } = bytes;
    if (length < START_BYTES) throw new RecordError(`it has ${length} bytes`);
    const size = bytes.readUInt16BE(4);
    const reader = new RecordReader(bytes.subarray(START_BYTES));
    const firstHandle = reader.string();
    this.table = START_BYTES + stringBytes(firstHandle);
    this.records = this.table + size * JOB_BYTES;
    if (this.records > length || crc32(bytes.subarray(4, this.records)) !== bytes.readUInt32BE(0)) {
      throw new RecordError('the checksum of its header is wrong: it is not as it was written');
    }
    this.name = { home, size, firstHandle };
  }

  /** The home of its job at this place. */
  homeAt(index: number): Home {
    const { home } = this.name;
    const sequence = home.sequence + this.bytes.readUInt32BE(this.table + index * JOB_BYTES + 4);
    return { ...home, sequence, pack: this.name, index };
  }

  /** Its record at this place. */
  recordAt(index: number): JobRecord | Unreadable {
    const { bytes, table, records } = this;
    const at = table + index * JOB_BYTES;
    const start = records + (index === 0 ? 0 : bytes.readUInt32BE(at - JOB_BYTES));
    const record = bytes.subarray(start, records + bytes.readUInt32BE(at));
    if (crc32(record) !== bytes.readUInt32BE(at + 8)) {
      return new Unreadable(record, 'its checksum is wrong: it is not as it was written');
    }
    return readJob(new RecordReader(record));
  }
}

/** The pack in a row, or the row where that is no pack. */
export function packIn(bytes: Buffer, home: Home): Pack | Unreadable {
  try {
    return new Pack(bytes, home);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return new Unreadable(bytes, error.message);
  }
}

/** The bytes of a pack; its jobs are of one queue, in the order of their sequences; there is one at least. */
export function packBytes(jobs: readonly StoredJob[]): Buffer {
  const { handle, sequence: first } = jobs[0]!;
  const header = START_BYTES + stringBytes(handle) + jobs.length * JOB_BYTES;
  let size = header;
  for (const job of jobs) size += jobBytes(job);
  const writer = new RecordWriter(size);
  const { bytes } = writer;
  writer.skip(4);
  writer.byte(jobs.length >>> 8);
  writer.byte(jobs.length & 0xff);
  writer.string(handle);
  const table = writer.length;
  writer.skip(jobs.length * JOB_BYTES);
  let at = table;
  for (const job of jobs) {
    const start = writer.length;
    writeJob(writer, job);
    bytes.writeUInt32BE(writer.length - header, at);
    bytes.writeUInt32BE(job.sequence - first, at + 4);
    bytes.writeUInt32BE(crc32(bytes.subarray(start, writer.length)), at + 8);
    at += JOB_BYTES;
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(4, header)), 0);
  return bytes;
}

/** A row as it is, copied: what LMDB hands out is valid for the moment, and jobs are read out of a pack one by one. */
export const rowValues: ValueCodec<Buffer> = {
  encode: (bytes) => bytes,
  decode: (bytes) => Buffer.from(bytes.subarray(0, bytes.length)),
};
