import type { StoredJob } from '../../stored-job.js';
import type { JobQueue } from '../job-queue.js';
import { isLaterHandle, jobHome, type PackName } from '../keys.js';
import { packBytes } from './pack.js';
import type { Tables } from '../tables.js';

/** A pack ends with so many jobs, or so many bytes; a larger job has a row of its own. */
const MAX_JOBS = 255;
const MAX_BYTES = 16 * 1024;
const MAX_JOB_BYTES = 2 * 1024;
/** What a job takes beside its workload, handle and unique, roughly. */
const OVERHEAD_BYTES = 20;

/** A new job that has no home yet. */
export interface Packable {
  readonly queue: JobQueue;
  /** What the write makes of it. */
  readonly packed: StoredJob;
  /** It gets a row of its own. */
  emitRow(tables: Tables): void;
  /** It gets a place in a pack, counted from 0. */
  sit(pack: PackName, index: number): void;
}

/**
 * Puts new jobs of a queue that are written together into one row.
 *
 * Packs of a queue follow one another without overlapping, and so do the
 * handles of packs that were not written together: so a job is found by its
 * place or its handle. What does not come in that order gets a row of its own.
 */
export class Packer {
  private drafts = new Map<JobQueue, Draft>();
  private lastHandle: string | undefined;
  private lastSequence = 0;

  /** Takes a job into a pack, unless it has to have a row of its own. */
  take(entry: Packable): boolean {
    const { handle, sequence, workload, unique } = entry.packed;
    const bytes = workload.length + handle.length + unique.length + OVERHEAD_BYTES;
    if (bytes > MAX_JOB_BYTES || sequence <= this.lastSequence) return false;
    if (this.lastHandle !== undefined && !isLaterHandle(handle, this.lastHandle)) return false;
    this.lastHandle = handle;
    this.lastSequence = sequence;
    this.draftOf(entry.queue, bytes).push(entry);
    return true;
  }

  /** Puts what was taken into a write; who sits in a pack is told where. */
  emit(tables: Tables, write: number): void {
    const { drafts } = this;
    // Not cleared: V8 would keep what was in it for long.
    this.drafts = new Map();
    for (const { packs } of drafts.values()) for (const pack of packs) emitPack(pack, tables, write);
  }

  /** The pack of a queue that has room for a job of so many bytes. */
  private draftOf(queue: JobQueue, bytes: number): Packable[] {
    let draft = this.drafts.get(queue);
    if (!draft) this.drafts.set(queue, (draft = { packs: [[]], bytes: 0 }));
    let pack = draft.packs.at(-1)!;
    if (pack.length === MAX_JOBS || draft.bytes + bytes > MAX_BYTES) {
      draft.packs.push((pack = []));
      draft.bytes = 0;
    }
    draft.bytes += bytes;
    return pack;
  }
}

/** The packs of a queue that are being filled, one after the other. */
interface Draft {
  readonly packs: Packable[][];
  /** Of the last one. */
  bytes: number;
}

function emitPack(entries: readonly Packable[], tables: Tables, write: number): void {
  const [first, last] = [entries[0]!, entries.at(-1)!];
  if (first === last) {
    first.emitRow(tables);
    return;
  }
  const { functionId, priority } = first.queue;
  const { handle, sequence } = first.packed;
  const home = jobHome(functionId, priority, 0, sequence);
  const pack = { home, size: entries.length, firstHandle: handle };
  const jobs = entries.map(({ packed }) => packed);
  void tables.packs.put(home, packBytes(jobs));
  void tables.packed.put(handle, { home, last: last.packed.handle, write });
  entries.forEach((entry, index) => entry.sit(pack, index));
}
