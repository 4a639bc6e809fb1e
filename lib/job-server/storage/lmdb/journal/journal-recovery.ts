import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredJob } from '../../stored-job.js';
import { PAGE, pagesOf, type JournalMark } from './journal.js';
import { isWhole, journaledJobs, journalHeaderAt, type JournalSeed } from './journal-record.js';

/** A journal as it was read. */
export interface JournalFile {
  readonly name: string;
  readonly claim: number;
  readonly seed: JournalSeed;
  readonly bytes: Buffer;
}

/** A record of a journal that is not as it was written. */
export interface DamagedRecord {
  /** Its name, for people. */
  readonly key: string;
  readonly reason: string;
  /** Empty where nothing is left of it. */
  readonly bytes: Buffer;
}

/** Reads a folder's journals, oldest first. */
export function readJournals(folder: string): JournalFile[] {
  const journals: JournalFile[] = [];
  for (const name of readdirSync(folder)) {
    const [, claim, seed] = /^journal-(\d+)-([0-9a-f]+)$/.exec(name) ?? [];
    if (claim === undefined || seed === undefined) continue;
    const bytes = readIfThere(join(folder, name));
    if (bytes) journals.push({ name, claim: Number(claim), seed: parseInt(seed, 16), bytes });
  }
  return journals.sort((one, other) => one.claim - other.claim);
}

/** What a journal has that the file of jobs, which has this mark, may not have. */
export function jobsBehind(
  { claim, seed, bytes }: JournalFile,
  mark: JournalMark | undefined,
): { readonly jobs: readonly StoredJob[]; readonly damaged: readonly DamagedRecord[] } {
  if (mark && mark.claim > claim) return { jobs: [], damaged: [] };
  const last = mark?.claim === claim ? mark.number : 0;
  const whole = new Map<number, Buffer>();
  const broken = new Map<number, Buffer>();
  for (let offset = 0; offset < bytes.length;) {
    const header = journalHeaderAt(bytes, offset);
    const record = header && isWhole(header.bytes, seed) ? header.bytes : undefined;
    // Inside of a record nothing is one, whatever it looks like.
    offset += record ? pagesOf(record.length) : PAGE;
    // Most are behind the mark: only what is needed is decoded.
    if (!header || header.number <= last) continue;
    if (record) whole.set(header.number, record);
    else broken.set(header.number, header.bytes);
  }
  const jobs: StoredJob[] = [];
  const damaged: DamagedRecord[] = [];
  for (let number = last + 1; whole.size > 0 || broken.has(number); number++) {
    const record = whole.get(number);
    whole.delete(number);
    if (record) jobs.push(...journaledJobs(record));
    else damaged.push(damage(claim, number, broken.get(number)));
  }
  return { jobs, damaged };
}

function damage(claim: number, number: number, bytes: Buffer | undefined): DamagedRecord {
  const reason = bytes
    ? 'its checksum is wrong: it was being written when the machine stopped, or is damaged'
    : 'it is not there';
  return { key: `journal:${claim}:${number}`, reason, bytes: bytes ?? Buffer.alloc(0) };
}

/** A file's bytes, unless its owner has deleted it meanwhile. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
