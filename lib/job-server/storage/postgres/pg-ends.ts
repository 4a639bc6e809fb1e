import { setTimeout as delay } from 'node:timers/promises';
import type { StorageError } from '../storage-error.js';
import type { End, PgEntry } from './pg-entry.js';
import type { QueueHint } from './pg-hints.js';
import type { PgPacks } from './pg-packs.js';
import { run, type PgParts } from './pg-parts.js';
import type { PgSettings } from './pg-settings.js';
import { bigArray, bytesArray, intArray } from './pg-values.js';

/** How many are written together. */
const MAX_BATCH = 1_000;

/** How long after a failure the database is tried again, in milliseconds. */
const RETRY_DELAY = 250;

/** A job, and what became of it: one kind of {@link End}. */
type Ended<Is extends End['is']> = { readonly entry: PgEntry; readonly end: Extract<End, { readonly is: Is }> };

/**
 * Writes what became of leased jobs: ended, dead, given back, changed. All that
 * was told while the last batch was under way is written together, without
 * waiting for the disk: a crash of the database repeats such a job, and never
 * loses one. What could not be written is written again, as long as it takes;
 * to write it twice changes nothing.
 */
export class PgEnds {
  private waiting = new Set<PgEntry>();
  /** What is being written. */
  private batch: readonly PgEntry[] = [];
  private writing: Promise<void> | undefined;
  /** Writes settings and one batch; how often it did so. */
  private turn: Promise<void> | undefined;
  private turns = 0;
  private isEnding = false;

  constructor(
    private readonly parts: PgParts,
    private readonly settings: PgSettings,
    private readonly packs: PgPacks,
  ) {}

  /** Something became of a written job. */
  add(entry: PgEntry): void {
    this.waiting.add(entry);
    this.start();
  }

  /** A setting is to be kept. */
  set(name: string, value: string | undefined): void {
    this.settings.set(name, value);
    this.start();
  }

  /** Jobs that are this owner's no longer: nothing is written of them. */
  forget(entries: Iterable<PgEntry>): void {
    for (const entry of entries) this.waiting.delete(entry);
  }

  /** The jobs of which something became that is not written yet. */
  handles(): Set<string> {
    return new Set([...this.batch, ...this.waiting].map(({ job }) => job.handle));
  }

  /** Whether jobs are on their way back into a queue. */
  givesBackTo(queue: QueueHint): boolean {
    const isOne = (entry: PgEntry): boolean => entry.queue === queue && entry.end?.is === 'release';
    if (this.batch.some(isOne)) return true;
    for (const entry of this.waiting) if (isOne(entry)) return true;
    return false;
  }

  /** How many changes wait to be written. */
  get backlog(): number {
    return this.waiting.size + this.settings.backlog;
  }

  /** Resolves when all told so far is written; rejects when it cannot be. */
  async flush(): Promise<void> {
    // What is told while these are written may come with them; more is not waited for.
    const upTo = this.turns + Number(this.turn !== undefined) + Math.max(1, Math.ceil(this.waiting.size / MAX_BATCH));
    await this.parts.health.untilWritten('ends', () =>
      this.turns < upTo ? this.writing && (this.turn ?? this.writing) : undefined,
    );
  }

  /** Gives up what cannot be written. */
  end(): void {
    this.isEnding = true;
  }

  private start(): void {
    this.writing ??= this.write();
  }

  private async write(): Promise<void> {
    await Promise.resolve();
    while (this.backlog > 0) {
      this.turn = this.writeOnce();
      await this.turn;
      this.turn = undefined;
      if (!this.parts.health.of('ends')) continue;
      if (this.isEnding) break;
      await delay(RETRY_DELAY);
    }
    // In the same turn as the last look: what is told from now on begins anew.
    this.writing = undefined;
    // What could not be written may have been forgotten since: then nothing is wrong any more.
    this.parts.health.worked('ends');
  }

  private async writeOnce(): Promise<void> {
    const { health } = this.parts;
    try {
      if (this.settings.backlog > 0) await this.settings.write();
      await this.writeBatch();
      this.turns++;
      health.worked('ends');
    } catch (error) {
      health.failed('ends', error as StorageError);
    }
  }

  private async writeBatch(): Promise<void> {
    const batch: PgEntry[] = [];
    for (const entry of this.waiting) {
      if (batch.length === MAX_BATCH) break;
      batch.push(entry);
    }
    for (const entry of batch) this.waiting.delete(entry);
    this.batch = batch;
    const changed = batch.filter(({ end, isChanged }) => !end && isChanged);
    for (const entry of changed) entry.isChanged = false;
    const start = performance.now();
    const ofKind = <Is extends End['is']>(is: Is): Ended<Is>[] =>
      batch.flatMap((entry) => (entry.end?.is === is ? [{ entry, end: entry.end as Ended<Is>['end'] }] : []));
    // Sorted now: what is told of these jobs while they are written belongs to another batch.
    const [done, dead, released] = [ofKind('done'), ofKind('bury'), ofKind('release')];
    try {
      // A pack says no more of a job than whether it is there: what else becomes of one is written of a row.
      await this.packs.makeRows(
        [...dead, ...released, ...done.filter(isGettingRow)].map(({ entry }) => entry).concat(changed),
      );
      await this.packs.writeDone(done.filter(isPacked));
      const rows = done.filter((each) => !isPacked(each));
      await this.writeDone(rows.filter(({ end }) => !end.outcome).map(({ entry }) => entry));
      await this.writeResults(rows.filter(({ end }) => end.outcome));
      await this.writeDead(dead);
      await this.writeReleased(released.map(({ entry }) => entry));
      await this.writeChanged(changed);
      if (batch.length > 0) this.parts.writes.wrote(batch.length, performance.now() - start);
    } catch (error) {
      for (const entry of changed) entry.isChanged = true;
      // In front: a flush relies on what was told before it being written first.
      this.waiting = new Set([...batch, ...this.waiting]);
      throw error;
    } finally {
      this.batch = [];
    }
  }

  private async writeDone(entries: readonly PgEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await run(this.parts, 'ender', 'done', keys(entries));
    for (const { queue } of entries) queue.settled([-1, 0, 0], true);
  }

  private async writeResults(ended: readonly Ended<'done'>[]): Promise<void> {
    if (ended.length === 0) return;
    await run(this.parts, 'ender', 'doneWithResult', [
      ...keys(ended.map(({ entry }) => entry)),
      bytesArray(ended.map(({ end }) => end.outcome!.state)),
      bytesArray(ended.map(({ end }) => end.outcome!.result)),
      bigArray(ended.map(({ end }) => Math.round(end.outcome!.keepUntil))),
    ]);
    for (const { entry } of ended) entry.queue.settled([-1, 0, 0], true);
  }

  private async writeDead(ended: readonly Ended<'bury'>[]): Promise<void> {
    if (ended.length === 0) return;
    const entries = ended.map(({ entry }) => entry);
    await run(this.parts, 'ender', 'bury', [
      ...keys(entries),
      ...counters(entries),
      bytesArray(ended.map(({ end }) => Buffer.from(end.error))),
      bigArray(ended.map(({ end }) => Math.round(end.diedAt))),
    ]);
    for (const { queue } of entries) queue.settled([-1, 0, 0], true);
    this.parts.dead.changed();
  }

  private async writeReleased(entries: readonly PgEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const times = bigArray(entries.map(({ job }) => job.at));
    await run(this.parts, 'ender', 'release', [...keys(entries), times, ...counters(entries)]);
    for (const { job, queue } of entries) {
      queue.settled([0, 1, Number(job.at > 0)], true);
      queue.expect(job.at);
      if (job.at === 0) {
        queue.lower(job.sequence);
        queue.isBack = true;
      }
      this.parts.ready.add(queue);
    }
  }

  private async writeChanged(entries: readonly PgEntry[]): Promise<void> {
    if (entries.length > 0) await run(this.parts, 'ender', 'change', [...keys(entries), ...counters(entries)]);
  }
}

function isPacked({ entry }: Ended<'done'>): boolean {
  return entry.pack !== undefined;
}

function isGettingRow({ entry }: Ended<'done'>): boolean {
  return entry.isGettingRow;
}

function keys(entries: readonly PgEntry[]): Buffer[] {
  return [bytesArray(entries.map(({ job }) => job.handle)), intArray(entries.map(({ owner }) => owner))];
}

function counters(entries: readonly PgEntry[]): Buffer[] {
  return [intArray(entries.map(({ job }) => job.attempts)), intArray(entries.map(({ job }) => job.losses))];
}
