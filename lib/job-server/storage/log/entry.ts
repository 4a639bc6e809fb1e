import type { Adder } from '../job-storage.js';
import { joined, tellStored } from '../adders.js';
import type { Change } from '../group-commit.js';
import type { StorageError } from '../storage-error.js';
import type { Past, StoredJob } from '../stored-job.js';
import type { Batch } from './batch.js';
import type { Hashes } from './hash-table.js';
import type { LogQueue } from './log-queue.js';
import { Phase } from './phase.js';
import { DEAD, ENDED, JOB, type Stored, type Kind } from './record.js';

/** Something that is written to the log. */
export interface LogChange extends Change {
  /** Whether it takes room that an end of a job does not: a full disk refuses it. */
  readonly isAdding: boolean;
  /** Whether it is written later when it could not be written now. */
  readonly isKept: boolean;
  /** Writes into a batch what the log is to have of it, as it is now. */
  emit(batch: Batch): void;
  /** It is durable, or was not written. */
  settle(isDurable: boolean): void;
}

/** A small change, written alone or with a job, both or neither: where a job came from, a setting, the end of one. */
export class Note implements LogChange {
  readonly isKept = true;
  waitsAt = -1;

  constructor(
    readonly bytes: number,
    readonly isAdding: boolean,
    readonly emit: (batch: Batch) => void,
    /** It is durable. */
    private readonly settled: () => void = () => undefined,
  ) {}

  settle(isDurable: boolean): void {
    if (isDurable) this.settled();
  }
}

/** What a job costs beside what its client gave, roughly. */
const OVERHEAD_BYTES = 200;

/**
 * A job in memory: because it is leased, because the log does not have it as it
 * is now, or both. A batch brings the log up to date, whatever happened in
 * between: a job that came and went costs nothing, and what failed is written
 * again.
 */
export class Entry implements LogChange {
  readonly handleHash: number;
  readonly uniqueHash: number;
  /** Its place in the {@link EntryTable}, by which it is found; -1 while it is not there. */
  place = -1;
  /** What the log has of it; missing when it has nothing. */
  stored: Stored | undefined;
  /** Why it died, or its result. */
  past: Past | undefined;
  /** What is written with it: where it came from, or the tick of its schedule; missing once that is written. */
  note: Note | undefined;
  adder: Adder | undefined;
  readonly bytes: number;
  waitsAt = -1;
  /** What the batch that is being written makes of it. */
  private next: Stored | undefined;

  constructor(
    readonly queue: LogQueue,
    public job: StoredJob,
    hashes: Hashes,
    private phase_ = Phase.none,
  ) {
    this.handleHash = hashes.handle(job.handle);
    this.uniqueHash = job.unique === '' ? 0 : hashes.unique(queue.name.id, job.unique);
    this.bytes = job.workload.length + job.reducer.length + job.unique.length + OVERHEAD_BYTES;
  }

  get phase(): Phase {
    return this.phase_;
  }

  /** Sets its phase, by which its queue counts it. */
  set phase(phase: Phase) {
    const { queue, job, phase_: before } = this;
    this.phase_ = phase;
    if (phase.fate === before.fate) return;
    queue.count(job, before, -1);
    queue.count(job, phase, 1);
  }

  /** A leased job changes: its attempts, its losses or its time. */
  change(job: StoredJob): void {
    this.queue.count(this.job, this.phase_, -1);
    this.queue.count(job, this.phase_, 1);
    this.job = job;
  }

  get handle(): string {
    return this.job.handle;
  }

  get isInMemory(): boolean {
    return this.place >= 0;
  }

  /** Whether it waits with this time and sequence. */
  waitsAs(time: number, sequence: number): boolean {
    return this.phase_.fate === 'waiting' && this.job.at === time && this.job.sequence === sequence;
  }

  /** It is a job again, and the log does not have that yet: there it is a dead letter, or is about to be. */
  get isReturning(): boolean {
    return this.phase.isQueued && (this.next ?? this.stored)?.kind === DEAD;
  }

  /** The log has nothing of it, and is to have nothing. */
  get isNothing(): boolean {
    return this.phase.fate === 'gone' && !this.phase.isUnderway && !this.stored && !this.note;
  }

  emit(batch: Batch): void {
    this.phase_ = this.phase_.batched;
    const { stored, queue, job, note, kind } = this;
    this.next = undefined;
    if (kind === undefined && !stored && !note) return;
    batch.together(this.bytes + 64 + (note?.bytes ?? 0));
    note?.emit(batch);
    if (kind !== undefined) this.next = batch.put(kind, queue, job, stored, this.past);
    else if (stored) batch.over(stored, queue.key);
  }

  settle(isDurable: boolean): void {
    this.phase_ = isDurable ? this.phase_.durable : this.phase_.failed;
    if (isDurable) {
      this.stored = this.next;
      this.note?.settle(true);
      this.note = undefined;
    }
    this.next = undefined;
  }

  /** Tells an adder as well when it is durable: now, unless there is a write to wait for. */
  join(adder: Adder, mustWait = false): void {
    if (this.adder || mustWait) this.adder = joined(this.adder, adder);
    else tellStored([adder]);
  }

  /** Resolves when it is durable, rejects when it is refused. */
  whenStored(mustWait = false): Promise<void> {
    return new Promise((resolve, reject) => this.join({ stored: () => resolve(), refused: reject }, mustWait));
  }

  get isAdding(): boolean {
    return this.phase.isQueued && !this.stored;
  }

  /** Not when it is over, nor when its adder is told that it is refused. */
  get isKept(): boolean {
    const isRefused = this.adder !== undefined && !this.stored;
    return !this.isNothing && !isRefused;
  }

  /**
   * What was being written is on disk: tells its adder, unless that waits for its return from the
   * dead letters, which is not written yet.
   */
  tellStored(): void {
    if (this.adder && !this.isReturning) this.takeAdder()?.stored();
  }

  /** Its adder, who is to be told now. */
  takeAdder(): Adder | undefined {
    const { adder } = this;
    this.adder = undefined;
    return adder;
  }

  /** It is refused: tells its adder, and it is over. */
  refuse(error: StorageError): void {
    const adder = this.takeAdder();
    if (adder) queueMicrotask(() => adder.refused(error));
    this.note = undefined;
    this.phase = this.phase.gone;
  }

  private get kind(): Kind | undefined {
    const { fate, isQueued } = this.phase;
    if (isQueued) return JOB;
    return fate === 'gone' ? undefined : fate === 'dead' ? DEAD : ENDED;
  }
}
