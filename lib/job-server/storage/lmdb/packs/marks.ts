import type { JobCounters } from '../../stored-job.js';
import { RecordReader, RecordWriter, varintBytes } from '../record-bytes.js';
import type { JobRecord, ValueCodec } from '../record-codec.js';

/** What became of the jobs of a pack since it was written: which have left it, and whose counters have changed. */
export class Marks {
  private left: number;

  private constructor(
    private readonly size: number,
    /** A bit for each job that has left. */
    private readonly gone: Uint8Array,
    private readonly counters: Map<number, Required<JobCounters>>,
  ) {
    this.left = gone.reduce((count, bits) => count + bitsIn(bits), 0);
  }

  /** A pack's, as it was written. */
  static none(size: number): Marks {
    return new Marks(size, new Uint8Array(Math.ceil(size / 8)), new Map());
  }

  static read(reader: RecordReader): Marks {
    const size = reader.varint();
    const gone = Uint8Array.from({ length: Math.ceil(size / 8) }, () => reader.byte());
    const counters = new Map<number, Required<JobCounters>>();
    while (!reader.isAtEnd) {
      counters.set(reader.varint(), { attempts: reader.varint(), losses: reader.varint() });
    }
    return new Marks(size, gone, counters);
  }

  /** Whether all jobs have left. */
  get areAllGone(): boolean {
    return this.left === this.size;
  }

  isGone(index: number): boolean {
    return ((this.gone[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** A job leaves. */
  leave(index: number): void {
    if (this.isGone(index)) return;
    this.gone[index >>> 3]! |= 1 << (index & 7);
    this.counters.delete(index);
    this.left++;
  }

  /** A job has other counters now. */
  change(index: number, { attempts, losses }: Required<JobCounters>): void {
    this.counters.set(index, { attempts, losses });
  }

  /** A record as it is now. */
  applied(index: number, record: JobRecord): JobRecord {
    const counters = this.counters.get(index);
    return counters ? { ...record, ...counters } : record;
  }

  get bytes(): Buffer {
    const { size, gone, counters } = this;
    let length = varintBytes(size) + gone.length;
    for (const [index, { attempts, losses }] of counters) {
      length += varintBytes(index) + varintBytes(attempts) + varintBytes(losses);
    }
    const writer = new RecordWriter(length);
    writer.varint(size);
    writer.rest(gone);
    for (const [index, { attempts, losses }] of counters) {
      writer.varint(index);
      writer.varint(attempts);
      writer.varint(losses);
    }
    return writer.bytes;
  }
}

/** How many jobs, a bit for each, then index, attempts and losses of those with others. */
export const markValues: ValueCodec<Marks> = {
  encode: (marks) => marks.bytes,
  decode: (bytes) => Marks.read(new RecordReader(bytes)),
};

function bitsIn(byte: number): number {
  let count = 0;
  for (let bits = byte; bits !== 0; bits &= bits - 1) count++;
  return count;
}
