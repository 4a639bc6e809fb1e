import { counterLength } from '../../engine/index.js';
import type { StoredJob } from '../stored-job.js';
import { allBits, MAX_PACK, PACK_SPAN, PackName } from './pack-name.js';
import type { PgEntry, Packing, ReadJob } from './pg-entry.js';
import type { QueueHint } from './pg-hints.js';
import type { PgRow } from './pg-package.js';
import { numbersIn, workloadIn } from './pg-values.js';

/**
 * A job with a longer workload has a row of its own, and the workloads of a pack have no more
 * bytes together than this.
 */
const MAX_WORKLOAD = 8 * 1024;
const MAX_WORKLOADS = 32 * 1024;

/** How far the times of a pack's jobs may be apart, in milliseconds. */
const MAX_DELAY = 2 ** 30;

/** A handle as a prefix, which many have, and a number. */
export interface SplitHandle {
  readonly prefix: string;
  readonly number: number;
}

/** Takes a handle apart so that it can be put together again; undefined where that is impossible. */
export function splitHandle(handle: string): SplitHandle | undefined {
  const length = counterLength(handle);
  if (length === 0 || length > 15 || (length > 1 && handle.charCodeAt(handle.length - length) === 0x30))
    return undefined;
  const start = handle.length - length;
  return { prefix: handle.slice(0, start), number: Number(handle.slice(start)) };
}

/**
 * Jobs of one queue that were told one after the other and are written as one
 * row. What is in it stays the same however often it is written, as its name
 * does: it is there once.
 */
export class NewPack implements Packing {
  readonly entries: readonly PgEntry[];
  private readonly numbers: readonly number[];
  readonly queue: QueueHint;
  readonly prefix: string;
  readonly first: number;
  readonly last: number;

  constructor(
    readonly name: PackName,
    { entries, numbers, prefix, first, last }: Run,
  ) {
    const [{ queue }] = entries as [PgEntry];
    this.entries = entries;
    this.numbers = numbers;
    this.queue = queue;
    this.prefix = prefix;
    this.first = first;
    this.last = last;
    for (const [index, entry] of entries.entries()) {
      entry.pack = name;
      entry.packing = this;
      entry.index = index;
    }
  }

  /** When the first of its jobs was told. */
  get since(): number {
    return this.entries[0]!.since;
  }

  get bits(): bigint {
    return allBits(this.entries.length);
  }

  /** What is written of its jobs, in the order of their places. */
  content(): PackContent {
    const { entries, first } = this;
    const accepted = entries[0]!.job.acceptedAt;
    const content = { accepted, numbers: [] as number[], delays: [] as number[], ends: [] as number[] };
    let end = 0;
    for (const [index, { job }] of entries.entries()) {
      content.numbers.push(this.numbers[index]! - first);
      content.delays.push(accepted === undefined ? 0 : job.acceptedAt! - accepted);
      content.ends.push((end += job.workload.length));
    }
    const workloads = Buffer.allocUnsafe(end);
    for (const [index, { job }] of entries.entries()) {
      const start = index === 0 ? 0 : content.ends[index - 1]!;
      if (typeof job.workload === 'string') workloads.write(job.workload, start, 'latin1');
      else workloads.set(job.workload, start);
    }
    return { ...content, workloads };
  }
}

/** Columns of a pack, as said at its table. */
export interface PackContent {
  readonly accepted: number | undefined;
  readonly numbers: number[];
  readonly delays: number[];
  readonly ends: number[];
  readonly workloads: Buffer;
}

/** One job, or several of one queue that may become a pack, in the order they were told. */
class Run {
  readonly entries: PgEntry[] = [];
  readonly numbers: number[] = [];
  readonly isPlain: boolean;
  prefix = '';
  first = 0;
  last = 0;
  private bytes = 0;

  constructor(
    entry: PgEntry,
    /** How its handle is taken apart; undefined for one that has a row of its own. */
    split: SplitHandle | undefined,
  ) {
    this.isPlain = split !== undefined;
    if (split) {
      this.prefix = split.prefix;
      this.first = split.number;
      this.append(entry, split);
    } else {
      this.entries.push(entry);
    }
  }

  /** Whether the next job of the queue may be in it. */
  hasRoomFor({ job }: PgEntry, { prefix, number }: SplitHandle): boolean {
    const { entries, last } = this;
    const head = entries[0]!;
    return (
      entries.length < MAX_PACK &&
      prefix === this.prefix &&
      number > last &&
      number < this.first + PACK_SPAN &&
      this.bytes + job.workload.length <= MAX_WORKLOADS &&
      areNear(job.acceptedAt, head.job.acceptedAt)
    );
  }

  append(entry: PgEntry, { number }: SplitHandle): void {
    this.entries.push(entry);
    this.numbers.push(number);
    this.last = number;
    this.bytes += entry.job.workload.length;
  }
}

/** A batch as it is written: each with its place in the batch, those of one queue in the order they were told. */
export interface Packed {
  readonly rows: { readonly job: StoredJob; readonly entry: PgEntry; readonly place: number }[];
  readonly packs: { readonly pack: NewPack; readonly place: number }[];
}

/**
 * Puts plain jobs of a batch that follow each other in their queue into packs.
 *
 * @param least so many become a pack.
 * @param name names the next pack; undefined while there are to be none.
 */
export function packed(batch: readonly PgEntry[], least: number, name: (() => PackName) | undefined): Packed {
  const units: (Run | NewPack)[] = [];
  const open = new Map<QueueHint, Run>();
  const again = new Set<NewPack>();
  for (const entry of batch) {
    const { packing, queue } = entry;
    if (packing instanceof NewPack) {
      if (!again.has(packing)) units.push(packing);
      again.add(packing);
      open.delete(queue);
      continue;
    }
    const split = name && isPlain(entry) ? splitHandle(entry.job.handle) : undefined;
    const before = open.get(queue);
    if (split && before?.hasRoomFor(entry, split)) {
      before.append(entry, split);
      continue;
    }
    const run = new Run(entry, split);
    units.push(run);
    // A later job must not stand before one that has a row of its own.
    if (split) open.set(queue, run);
    else open.delete(queue);
  }
  const all: Packed = { rows: [], packs: [] };
  let place = 0;
  for (const unit of units) {
    const { entries } = unit;
    if (name && unit instanceof Run && unit.isPlain && entries.length >= least) {
      all.packs.push({ pack: new NewPack(name(), unit), place });
    } else if (unit instanceof NewPack) {
      all.packs.push({ pack: unit, place });
    } else {
      for (const [index, entry] of entries.entries()) all.rows.push({ job: entry.job, entry, place: place + index });
    }
    place += entries.length;
  }
  return all;
}

/** Whether a job may be in a pack: it waits, and a pack can keep everything about it. */
function isPlain({ job, owner, isChanged, isKnown, isDoubtful }: PgEntry): boolean {
  return (
    // Jobs that run already end one by one: changing a pack for each costs more than their rows would.
    owner === 0 &&
    job.unique === '' &&
    job.at === 0 &&
    job.reducer === '' &&
    job.attempts === 0 &&
    job.losses === 0 &&
    job.workload.length < MAX_WORKLOAD &&
    // One that may be there already, as a row or in another pack, is looked for as a row.
    !(isChanged || isKnown || isDoubtful)
  );
}

function areNear(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Math.abs(one - other) < MAX_DELAY;
}

/** The jobs that are in a pack. */
export function jobsInPack(row: PgRow, functionName: string): ReadJob[] {
  const fields = row as PackRow;
  const { priority, workload } = fields;
  const pack = new PackName(fields.maker, Number(fields.number));
  const [numbers, delays, ends] = [fields.numbers, fields.delays, fields.ends].map(numbersIn) as [
    number[],
    number[],
    number[],
  ];
  const [prefix, first, base] = [fields.handle.toString('latin1'), Number(fields.first), Number(fields.base)];
  const accepted = fields.accepted === null ? undefined : Number(fields.accepted);
  let bits = BigInt(fields.present);
  const jobs: ReadJob[] = [];
  for (let index = 0, start = 0; index < numbers.length; start = ends[index]!, index++, bits >>= 1n) {
    if ((bits & 1n) === 0n) continue;
    const job: StoredJob = {
      handle: `${prefix}${first + numbers[index]!}`,
      function: functionName,
      unique: '',
      priority,
      workload: workloadIn(workload, start, ends[index]!),
      reducer: '',
      at: 0,
      attempts: 0,
      losses: 0,
      acceptedAt: accepted === undefined ? undefined : accepted + delays[index]!,
      sequence: base + index,
    };
    jobs.push({ job, pack, index });
  }
  return jobs;
}

interface PackRow {
  readonly maker: number;
  readonly number: string;
  /** The prefix of its jobs' handles. */
  readonly handle: Buffer;
  readonly priority: StoredJob['priority'];
  readonly base: string;
  readonly present: string;
  readonly first: string;
  readonly numbers: string;
  readonly accepted: string | null;
  readonly delays: string;
  readonly ends: string;
  readonly workload: Buffer;
}
