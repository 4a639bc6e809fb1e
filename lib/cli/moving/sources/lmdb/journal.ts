import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { StoredJob } from '../../../../job-server/storage/index.js';
import { asPriority, FieldReader, readJob, RecordError } from './records.js';

/** Each record begins at the start of a page. */
const PAGE = 4_096;
/** A checksum of all that follows, the total length, and the record's number. */
const HEADER_BYTES = 4 + 4 + 6;

/** What follows next in a record's body. */
const END = 0;
const QUEUE = 1;
const JOB = 2;

/** Up to which journal record the file of jobs contains everything; it is stored in that file. */
export interface JournalMark {
  readonly claim: number;
  readonly number: number;
}

/** The jobs that journals have in addition to the file of jobs; some may be in both. */
export interface Journaled {
  readonly jobs: readonly StoredJob[];
  /** The problems of records that cannot be read. */
  readonly damages: readonly string[];
}

/** New jobs of format 3 that had not been written to the file of jobs when their process was killed. */
export function readJournals(folder: string, mark: JournalMark | undefined): Journaled {
  const jobs: StoredJob[] = [];
  const damages: string[] = [];
  for (const name of readdirSync(folder)) {
    const [, claim, seed] = /^journal-(\d+)-([0-9a-f]+)$/.exec(name) ?? [];
    if (seed === undefined || (mark && mark.claim > Number(claim))) continue;
    const last = mark?.claim === Number(claim) ? mark.number : 0;
    const { whole, broken } = recordsOf(readFileSync(join(folder, name)), parseInt(seed, 16), last);
    for (let number = last + 1; whole.size > 0 || broken.has(number); number++) {
      const record = whole.get(number);
      whole.delete(number);
      if (record) jobs.push(...jobsOf(record));
      else damages.push(`record ${number} of ${name} was being written when the machine stopped, or is damaged`);
    }
  }
  return { jobs, damages };
}

/** The records of a file with numbers above `last`, by number. A journal file is written again from its beginning, so older ones may follow. */
function recordsOf(file: Buffer, seed: number, last: number): { whole: Map<number, Buffer>; broken: Set<number> } {
  const whole = new Map<number, Buffer>();
  const broken = new Set<number>();
  for (let offset = 0; offset + HEADER_BYTES <= file.length;) {
    const length = file.readUInt32BE(offset + 4);
    const number = file.readUIntBE(offset + 8, 6);
    const isRecord = length > HEADER_BYTES && offset + length <= file.length;
    const record = file.subarray(offset, offset + length);
    const isWhole = isRecord && crc32(record.subarray(4), seed) === record.readUInt32BE(0);
    if (isRecord && number > last) {
      if (isWhole) whole.set(number, record);
      else broken.add(number);
    }
    // The pages inside a record are skipped, whatever they look like.
    offset += isWhole ? Math.ceil(length / PAGE) * PAGE : PAGE;
  }
  return { whole, broken };
}

function* jobsOf(record: Buffer): Generator<StoredJob> {
  const fields = new FieldReader(record.subarray(HEADER_BYTES));
  let queue: Pick<StoredJob, 'function' | 'priority'> | undefined;
  for (let tag = fields.byte(); tag !== END; tag = fields.byte()) {
    if (tag === QUEUE) queue = { function: fields.string(), priority: asPriority(fields.byte()) };
    else if (tag === JOB && queue) {
      const [sequence, at] = [fields.varint(), fields.varint()];
      yield { ...readJob(new FieldReader(fields.part(fields.varint()))), ...queue, at, sequence };
    } else throw new RecordError('the journal says nothing that is known');
  }
}
