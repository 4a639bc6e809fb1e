import { crc32 } from 'node:zlib';
import { checkSum, FieldReader, readJob, RecordError, type JobFields } from './records.js';

/** The header's checksum, and the number of jobs. */
const START_BYTES = 4 + 2;
/** The header's entry for each job: where its record ends, how far its sequence is behind the first, its checksum. */
const JOB_BYTES = 3 * 4;

/** A job of a pack. */
export interface Packed {
  readonly sequence: number;
  /** Throws a {@link RecordError} if this job is damaged; the other jobs of the pack may be whole. */
  read(): JobFields;
}

/**
 * The jobs of a row of format 3 that contains several jobs of one queue:
 *
 *   checksum | count | first handle | count x { end, sequence, checksum } | records
 *
 * @param first the sequence of its first job.
 * @throws RecordError for a damaged header.
 */
export function jobsOfPack(bytes: Buffer, first: number): Packed[] {
  if (bytes.length < START_BYTES) throw new RecordError(`it has ${bytes.length} bytes`);
  const size = bytes.readUInt16BE(4);
  const fields = new FieldReader(bytes.subarray(START_BYTES));
  const handleBytes = fields.string().length;
  const table = START_BYTES + (handleBytes < 0x80 ? 1 : 2) + handleBytes;
  const records = table + size * JOB_BYTES;
  if (records > bytes.length || crc32(bytes.subarray(4, records)) !== bytes.readUInt32BE(0)) {
    throw new RecordError('the checksum of its header is wrong: it is not as it was written');
  }
  return Array.from({ length: size }, (_, index) => {
    const at = table + index * JOB_BYTES;
    const start = records + (index === 0 ? 0 : bytes.readUInt32BE(at - JOB_BYTES));
    const record = bytes.subarray(start, records + bytes.readUInt32BE(at));
    return {
      sequence: first + bytes.readUInt32BE(at + 4),
      read: () => {
        checkSum(record, bytes.readUInt32BE(at + 8));
        return readJob(new FieldReader(record));
      },
    };
  });
}

/** What became of the jobs of a pack after it was written. */
export interface Marks {
  readonly gone: ReadonlySet<number>;
  readonly counters: ReadonlyMap<number, Pick<JobFields, 'attempts' | 'losses'>>;
}

/** Reads the number of jobs, a bit for each job that has left the pack, and index, attempts and losses of each job where these have changed. */
export function readMarks(fields: FieldReader): Marks {
  const size = fields.varint();
  const bits = fields.part(Math.ceil(size / 8));
  const gone = new Set<number>();
  for (let index = 0; index < size; index++) if (bits[index >>> 3]! & (1 << (index & 7))) gone.add(index);
  const counters = new Map<number, Pick<JobFields, 'attempts' | 'losses'>>();
  while (!fields.isAtEnd) counters.set(fields.varint(), { attempts: fields.varint(), losses: fields.varint() });
  return { gone, counters };
}
