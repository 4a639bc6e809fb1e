import { crc32 } from 'node:zlib';
import type { Death, JobOutcome, JobRecord, StoredPriority } from '../../../../job-server/storage/index.js';

/** Bytes that were damaged after they were written. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** Reads the fields of a record one after the other; throws {@link RecordError} if the bytes end too early. */
export class FieldReader {
  private offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  byte(): number {
    return this.part(1)[0]!;
  }

  /** A whole number from 0, seven bits a byte, the lowest first. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RecordError('a number has more than 56 bits');
  }

  /** A byte string; its length comes before it. */
  string(): string {
    return this.part(this.varint()).toString('latin1');
  }

  text(): string {
    return this.part(this.varint()).toString('utf8');
  }

  /** The next `length` bytes. */
  part(length: number): Buffer {
    const end = this.offset + length;
    if (end > this.bytes.length)
      throw new RecordError(`a field ends at byte ${end}, the record at ${this.bytes.length}`);
    const part = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  /** All bytes up to the end. */
  rest(): Buffer {
    return this.part(this.bytes.length - this.offset);
  }
}

/**
 * A record of format 2 and later begins with two bytes of which the first is 0,
 * unlike in format 1. Four bytes of checksum follow, then the record.
 */
const MARK = 0x8000;
const CHECK_BYTES = 6;

/** Checks a record and removes its checksum. @param isOld whether there may be records of format 1, which have no checksum. */
export function checked(bytes: Buffer, isOld: boolean): FieldReader {
  if (bytes.length < CHECK_BYTES || bytes.readUInt16BE(0) !== MARK) {
    if (isOld) return new FieldReader(bytes);
    throw new RecordError('it does not begin as a record does');
  }
  const record = bytes.subarray(CHECK_BYTES);
  checkSum(record, bytes.readUInt32BE(2));
  return new FieldReader(record);
}

export function checkSum(bytes: Buffer, sum: number): void {
  if (crc32(bytes) !== sum) throw new RecordError('its checksum is wrong: it is not as it was written');
}

/** The content of a job's record: everything that is not in its key. */
export type JobFields = Omit<JobRecord, 'function' | 'priority' | 'at'>;

export function readJob(fields: FieldReader): JobFields {
  return {
    attempts: fields.varint(),
    losses: fields.varint(),
    handle: fields.string(),
    unique: fields.string(),
    reducer: fields.string(),
    workload: fields.rest(),
  };
}

export function readDead(fields: FieldReader): { readonly job: JobRecord; readonly error: Death['error'] } {
  const name = fields.string();
  const priority = asPriority(fields.byte());
  const at = fields.varint();
  const error = fields.text();
  return { job: { ...readJob(fields), function: name, priority, at }, error };
}

/** Reads a job that has ended; nothing else is kept of it. */
export function readEnded(fields: FieldReader): {
  readonly job: JobRecord;
  readonly outcome: Omit<JobOutcome, 'keepUntil'>;
} {
  const state = fields.byte() === 1 ? 'complete' : 'failed';
  const handle = fields.string();
  const job = { handle, function: fields.string(), unique: '', priority: 1, reducer: '', workload: '' } as const;
  return { job: { ...job, at: 0, attempts: 0, losses: 0 }, outcome: { state, result: fields.rest() } };
}

/** Checks a priority that was read from a file. */
export function asPriority(value: number): StoredPriority {
  if (value !== 0 && value !== 1 && value !== 2) throw new RecordError(`the priority is ${value}, not 0, 1 or 2`);
  return value;
}
