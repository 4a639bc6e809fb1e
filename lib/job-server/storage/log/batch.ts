import type { Past, StoredJob } from '../stored-job.js';
import type { LogQueue } from './log-queue.js';
import type { Name } from './names.js';
import {
  APART,
  endByte,
  FORMAT,
  hasText,
  ITEM_HEADER,
  JOB,
  NAME,
  RECORD_BYTES,
  RECORD_HEADER,
  sealRecord,
  type Kind,
  type ORIGIN,
  type SETTING,
  type Stored,
} from './record.js';

/** The fields of a job in its record, or in the record of what became of it. */
type Fields = Omit<StoredJob, 'function' | 'priority'>;

const NOTHING: Fields = {
  handle: '',
  sequence: 0,
  unique: '',
  reducer: '',
  acceptedAt: undefined,
  at: 0,
  attempts: 0,
  losses: 0,
  workload: '',
};

/**
 * What is written to the log at once, as bytes: records, each with a checksum, so that it is valid
 * as a whole or not at all.
 */
export class Batch {
  /** The batch's bytes, as far as it has come: valid until the next one begins. */
  bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  /** Where each of its records begins. */
  readonly records: number[] = [];
  private end = 0;
  private start = -1;
  private number = 0;
  private secret = 0;
  /** How many records were begun. */
  private record = 0;

  /** Begins a batch; `header` stands before it in a new segment. */
  begin(secret: number, number: number, header?: Buffer): void {
    if (this.bytes.length > 4 * 1024 * 1024) this.bytes = Buffer.allocUnsafe(64 * 1024);
    this.end = 0;
    this.start = -1;
    this.records.length = 0;
    this.secret = secret;
    this.number = number;
    if (!header) return;
    this.end = header.copy(this.bytes);
  }

  /** Ends the batch: its bytes, with the header. */
  finish(): Buffer {
    this.endRecord();
    return this.bytes.subarray(0, this.end);
  }

  /** What follows, roughly so many bytes, stands in one record. */
  together(bytes: number): void {
    if (this.start >= 0) {
      const size = this.end - this.start;
      if (size + bytes <= RECORD_BYTES) return;
      this.endRecord();
    }
    this.ensure(RECORD_HEADER);
    this.start = this.end;
    this.records.push(this.start);
    this.end += RECORD_HEADER;
    this.bytes.writeUIntLE(this.number, this.start + 8, 6);
    this.bytes[this.start + 14] = FORMAT;
    this.bytes[this.start + 15] = 0;
    this.record++;
  }

  /** Writes what a name's number stands for, once in a record: each can be read without any other. */
  private name(name: Name): void {
    if (name.record === this.record) return;
    name.record = this.record;
    this.ensure(name.text.length + 16);
    this.bytes[this.end++] = NAME;
    this.varint(name.id);
    this.text(name.text);
  }

  /** Writes that what the log has of something is over. */
  over(stored: Stored, queue: number): void {
    this.together(32);
    this.tombstone(stored, queue);
  }

  /** Writes a job, or what became of it, in the place of what the log had before. */
  put(
    kind: Kind,
    queue: Pick<LogQueue, 'key' | 'name' | 'lastSequence'>,
    job: StoredJob,
    before: Stored | undefined,
    past: Past | undefined,
  ): Stored {
    const { number } = this;
    if (before) this.tombstone(before, queue.key);
    this.name(queue.name);
    const hasTime = kind === JOB && job.at > 0;
    const isApart = kind !== JOB || hasTime || job.sequence <= queue.lastSequence;
    if (!isApart) queue.lastSequence = job.sequence;
    let length: number;
    if (past && 'result' in past) {
      const { handle, sequence } = job;
      const fields = { ...NOTHING, handle, sequence, workload: past.result };
      length = this.item(kind, isApart, queue.key, fields, past.keepUntil, past.state);
    } else length = this.item(kind, isApart, queue.key, job, past?.diedAt ?? 0, past?.error ?? '');
    return { number, length, kind, hasTime, isApart };
  }

  /** Writes where a job came from, or a setting: a name and perhaps a text. */
  note(kind: typeof ORIGIN | typeof SETTING, name: string, text: string, before?: Stored): void {
    this.together(name.length + text.length + 96);
    if (before) this.tombstone(before, 0);
    this.item(kind, true, 0, { ...NOTHING, handle: name }, 0, text);
  }

  /** Answers how many bytes it takes; the next one's number follows. */
  private item(kind: Kind, isApart: boolean, queue: number, job: Fields, time: number, text: string): number {
    const { handle, unique, reducer, workload, acceptedAt = -1 } = job;
    this.ensure(handle.length + unique.length + reducer.length + text.length * 3 + workload.length + 128);
    const start = this.end;
    this.bytes[start] = isApart ? kind | APART : kind;
    this.end += ITEM_HEADER;
    this.varint(queue);
    this.varint(job.sequence);
    this.text(handle);
    this.text(unique);
    this.text(reducer);
    this.varint(acceptedAt + 1);
    this.varint(job.at);
    this.varint(job.attempts);
    this.varint(job.losses);
    if (hasText(kind)) {
      this.varint(time);
      const bytes = Buffer.from(text, 'utf8');
      this.varint(bytes.length);
      this.end += bytes.copy(this.bytes, this.end);
    }
    if (typeof workload === 'string') this.end += this.bytes.write(workload, this.end, 'latin1');
    else {
      this.bytes.set(workload, this.end);
      this.end += workload.length;
    }
    this.bytes.writeUInt32LE(this.end - start, start + 1);
    this.number++;
    return this.end - start;
  }

  private tombstone(stored: Stored, queue: number): void {
    this.ensure(32);
    this.bytes[this.end++] = endByte(stored);
    this.varint(queue);
    this.varint(stored.number);
    this.varint(stored.length);
  }

  private endRecord(): void {
    const { start } = this;
    this.start = -1;
    if (start >= 0) sealRecord(this.bytes, start, this.end - start, this.secret);
  }

  private text(text: string): void {
    const { length } = text;
    this.varint(length);
    const { bytes, end } = this;
    this.end = end + length;
    // For fewer bytes than this a call of Node takes longer than a loop.
    if (length > 32) bytes.write(text, end, 'latin1');
    else for (let index = 0; index < length; index++) bytes[end + index] = text.charCodeAt(index);
  }

  private varint(value: number): void {
    const { bytes } = this;
    let { end } = this;
    let rest = value;
    // A remainder of what has no 31 bits takes V8 longer than all the others.
    for (; rest >= 2 ** 31; end++) {
      const above = Math.floor(rest / 128);
      bytes[end] = (rest - above * 128) | 128;
      rest = above;
    }
    for (; rest >= 128; rest >>>= 7) bytes[end++] = (rest & 127) | 128;
    bytes[end++] = rest;
    this.end = end;
  }

  private ensure(bytes: number): void {
    if (this.end + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + bytes));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}
