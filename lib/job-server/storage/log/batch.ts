import { crc32 } from 'node:zlib';
import type { Past, StoredJob } from '../stored-job.js';
import type { JobQueue } from './job-queue.js';
import type { Name } from './names.js';
import {
  END,
  END_LIKE_BEFORE,
  FORMAT,
  HAS_COUNTERS,
  HAS_MORE,
  HAS_REDUCER,
  HAS_SOURCE,
  HAS_TIME,
  HAS_UNIQUE,
  hasText,
  IS_APART,
  JOB,
  NAME,
  RECORD_BYTES,
  RECORD_HEADER,
  TIMED,
  type Ended,
  type Kind,
  type ORIGIN,
  type SETTING,
} from './record.js';

/** What of a job is in its record, or in that of what became of it. */
type Fields = Pick<
  StoredJob,
  'sequence' | 'unique' | 'reducer' | 'at' | 'attempts' | 'losses' | 'workload' | 'acceptedAt'
>;

const NOTHING: Fields = { sequence: 0, unique: '', reducer: '', at: 0, attempts: 0, losses: 0, workload: '' };

/** When it died and why, or until when its result is kept and whether it is complete; a setting's value. */
interface Said {
  readonly time: number;
  readonly text: string;
}

/** What is written to the log at once, as bytes: records, each with a checksum, so that it holds as a whole or not at all. */
export class Batch {
  /** The batch's bytes, as far as it has come: valid until the next one begins. */
  bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  /** Where each of its records begins. */
  readonly records: number[] = [];
  private end = 0;
  private start = -1;
  /** The end that stands last in the record. */
  private lastQueue = -1;
  private lastWhat = 0;
  private lastNumber = 0;
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
    this.lastQueue = -1;
    this.record++;
  }

  /** Has a record say what a number stands for, once: each can be read without any other. */
  private name(name: Name): void {
    if (name.record === this.record) return;
    name.record = this.record;
    this.ensure(name.text.length + 16);
    this.bytes[this.end++] = NAME;
    this.varint(name.id);
    this.text(name.text);
  }

  over(ended: Ended, queue: number): void {
    this.together(24);
    this.ensure(32);
    const { number, length, kind, hasTime } = ended;
    const what = kind | (hasTime ? TIMED : 0);
    if (this.lastQueue === queue && this.lastWhat === what && number > this.lastNumber) {
      this.bytes[this.end++] = END_LIKE_BEFORE;
      this.varint(number - this.lastNumber);
      this.varint(length);
    } else {
      this.bytes[this.end++] = END;
      this.varint(queue);
      this.ended(ended);
    }
    this.lastQueue = queue;
    this.lastWhat = what;
    this.lastNumber = number;
  }

  /** A job, or what became of it, in the place of what the log had before. */
  put(
    kind: Kind,
    queue: Pick<JobQueue, 'key' | 'name' | 'lastSequence'>,
    job: StoredJob,
    source: Ended | undefined,
    past: Past | undefined,
  ): Ended {
    const { number } = this;
    this.name(queue.name);
    const isApart = kind !== JOB || job.at > 0 || job.sequence <= queue.lastSequence;
    if (!isApart) queue.lastSequence = job.sequence;
    let fields: Fields = job;
    let said: Said | undefined;
    if (past && 'result' in past) {
      said = { time: past.keepUntil, text: past.state };
      fields = { ...NOTHING, sequence: job.sequence, unique: job.unique, workload: past.result };
    } else if (past) said = { time: past.diedAt, text: past.error };
    const length = this.item(kind, isApart, queue.key, job.handle, fields, source, said);
    return { number, length, kind, hasTime: kind === JOB && job.at > 0, isApart };
  }

  /** Remembers where a job came from, or a setting: a name and perhaps a text. */
  note(kind: typeof ORIGIN | typeof SETTING, name: string, text: string, source?: Ended): void {
    this.together(name.length + text.length + 64);
    this.item(kind, true, 0, name, NOTHING, source, { time: 0, text });
  }

  /** Answers how many bytes it takes; the next one's number follows. */
  private item(
    kind: Kind,
    isApart: boolean,
    queue: number,
    handle: string,
    job: Fields,
    source: Ended | undefined,
    said: Said | undefined,
  ): number {
    const { workload, acceptedAt } = job;
    const text = said?.text ?? '';
    this.ensure(job.unique.length + job.reducer.length + handle.length + text.length * 3 + workload.length + 128);
    const start = this.end;
    let flags = isApart ? IS_APART : 0;
    if (source) flags |= HAS_SOURCE;
    if (job.unique !== '') flags |= HAS_UNIQUE;
    if (job.reducer !== '') flags |= HAS_REDUCER;
    if (job.at > 0) flags |= HAS_TIME;
    if (job.attempts > 0 || job.losses > 0) flags |= HAS_COUNTERS;
    if (acceptedAt !== undefined) flags |= HAS_MORE;
    this.bytes[start] = kind;
    this.bytes[start + 1] = flags;
    this.end += 6;
    this.varint(queue);
    this.varint(job.sequence);
    this.text(handle);
    if (acceptedAt !== undefined) {
      // Its length is known once it is written: times of two centuries have six bytes.
      const at = this.end++;
      this.varint(acceptedAt);
      this.bytes[at] = this.end - at - 1;
    }
    if (source) this.ended(source);
    if (job.unique !== '') this.text(job.unique);
    if (job.reducer !== '') this.text(job.reducer);
    if (job.at > 0) this.varint(job.at);
    if (flags & HAS_COUNTERS) {
      this.varint(job.attempts);
      this.varint(job.losses);
    }
    if (hasText(kind)) {
      this.varint(said?.time ?? 0);
      const bytes = Buffer.from(text, 'utf8');
      this.varint(bytes.length);
      this.end += bytes.copy(this.bytes, this.end);
    }
    if (typeof workload === 'string') this.end += this.bytes.write(workload, this.end, 'latin1');
    else {
      this.bytes.set(workload, this.end);
      this.end += workload.length;
    }
    this.bytes.writeUInt32LE(this.end - start, start + 2);
    this.number++;
    return this.end - start;
  }

  private ended({ number, length, kind, hasTime }: Ended): void {
    this.bytes[this.end++] = kind | (hasTime ? TIMED : 0);
    this.varint(number);
    this.varint(length);
  }

  private endRecord(): void {
    const { start, end, bytes } = this;
    this.start = -1;
    if (start < 0) return;
    bytes.writeUInt32LE(end - start, start + 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(start + 4, end), this.secret), start);
  }

  private text(text: string): void {
    this.varint(text.length);
    this.end += this.bytes.write(text, this.end, 'latin1');
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.end++] = (rest % 128) | 128;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 128);
    }
    this.bytes[this.end++] = rest;
  }

  private ensure(bytes: number): void {
    if (this.end + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + bytes));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}
