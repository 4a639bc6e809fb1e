import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { StoredJob } from '../../../../job-server/storage/index.js';
import { asPriority, FieldReader, readJob, RecordError } from './records.js';

/** Records begin at a page of their own. */
const PAGE = 4_096;
/** Checksum of all that follows, length of all, number. */
const HEADER_BYTES = 4 + 4 + 6;

/** What the next bytes of a record's body are. */
const END = 0;
const QUEUE = 1;
const JOB = 2;

/** Up to where which journal is not needed: stands in the file of jobs, which has what was before. */
export interface JournalMark {
  readonly claim: number;
  readonly number: number;
}

/** What journals have beside the file of jobs; a job may be in both. */
export interface Journaled {
  readonly jobs: readonly StoredJob[];
  /** What is wrong with records that cannot be read. */
  readonly damages: readonly string[];
}

/** New jobs of format 3 that had not come to the file of jobs when a process was killed. */
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

/** The records of a file behind a number, by their numbers: a file is used again from its beginning. */
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
    // Inside of a record nothing is one, whatever it looks like.
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
