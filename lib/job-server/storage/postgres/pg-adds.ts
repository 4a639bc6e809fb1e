import { setTimeout as delay } from 'node:timers/promises';
import type { StorageError } from '../storage-error.js';
import type { StoredJob } from '../stored-job.js';
import { isLost } from './pg-errors.js';
import type { PgEntry } from './pg-entry.js';
import { PgInsert } from './pg-insert.js';
import type { PgRow } from './pg-package.js';
import type { PgPacks } from './pg-packs.js';
import { run, type PgParts } from './pg-parts.js';
import { bytesArray, intArray, jobOf, uniqueKey } from './pg-values.js';
import { SETTLED } from './queue-floor.js';

/** How many jobs, and about how many bytes, are written together. */
const MAX_BATCH = 2_000;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** How much may wait for a database that cannot be reached. */
const MAX_WAITING = 32_768;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** How long after a failure the database is tried again, in milliseconds. */
const RETRY_DELAY = 250;

/** How long, and of how many jobs at most, it is remembered that they were refused: a slow database may yet write them. */
const REFUSED_TIME = 600_000;
const MAX_REFUSED = 100_000;

/** A row that stands in a new job's way. */
interface Existing {
  readonly job: StoredJob;
  readonly owner: number;
  /** Another submission was answered with it. */
  readonly isWanted: boolean;
}

/**
 * Writes new jobs: all that came while the last batch was under way together,
 * told after the commit. A batch whose outcome nobody knows is written again:
 * the jobs' handles say which of it is there.
 */
export class PgAdds {
  /** In the order they were told. */
  private waiting: PgEntry[] = [];
  private waitingBytes = 0;
  private batch: readonly PgEntry[] = [];
  /** Those of the batch that are to be written again. */
  private returned: PgEntry[] = [];
  private writing: Promise<void> | undefined;
  /** Writes one batch. */
  private turn: Promise<void> | undefined;
  /** Refused though they may be written: taken out before anything else is written. */
  private voided: PgEntry[] = [];
  /** Handles of jobs that were refused though they may be written, even long after that, and when; oldest first. */
  private readonly refused = new Map<string, number>();
  private lastNumber = 0;
  private readonly inserts: PgInsert;
  private isEnding = false;

  constructor(
    private readonly parts: PgParts,
    private readonly packs: PgPacks,
    /** Resolves when the ends told so far are written. */
    private readonly endsWritten: () => Promise<void>,
    /** Called for a written job that something has become of meanwhile. */
    private readonly goOn: (entry: PgEntry) => void,
  ) {
    this.inserts = new PgInsert(parts);
  }

  /** Why a job cannot be accepted now, or undefined. */
  get refusal(): StorageError | undefined {
    const trouble = this.parts.health.of('adds');
    if (!trouble) return undefined;
    const isFull = this.waiting.length >= MAX_WAITING || this.waitingBytes >= MAX_WAITING_BYTES;
    const isLate = performance.now() - trouble.since >= this.parts.options.patience;
    return isFull || isLate ? trouble.error : undefined;
  }

  /** Whether so much waits that who leases more should wait too. */
  get isBehind(): boolean {
    return this.waiting.length >= MAX_WAITING || this.waitingBytes >= MAX_WAITING_BYTES;
  }

  add(entry: PgEntry): void {
    entry.number = ++this.lastNumber;
    this.waiting.push(entry);
    this.waitingBytes += entry.bytes;
    this.writing ??= this.write();
  }

  /** A job that is over need not be written any more. */
  drop(entry: PgEntry): void {
    this.waitingBytes -= entry.bytes;
    entry.phase = 'written';
  }

  /**
   * Takes out a job that this owner has leased and had refused before; answers whether it had. A
   * job that others were answered with stays, and is leased again.
   */
  takeOut(entry: PgEntry): boolean {
    if (this.refused.size === 0 || !this.refused.delete(entry.job.handle)) return false;
    this.voided.push(entry);
    this.writing ??= this.write();
    return true;
  }

  /** How many jobs wait to be written. */
  get backlog(): number {
    return this.waiting.length;
  }

  /** The jobs of which it is not known yet, or no longer, whether they are written. */
  handles(): Set<string> {
    return new Set([...this.batch, ...this.waiting, ...this.voided].map(({ job }) => job.handle));
  }

  /** Resolves when all told so far is written; rejects when it cannot be. */
  async flush(): Promise<void> {
    const upTo = this.lastNumber;
    const isWritten = (): boolean => Math.min(numberOf(this.batch), numberOf(this.waiting)) > upTo;
    await this.parts.health.untilWritten('adds', () => (isWritten() ? undefined : (this.turn ?? this.writing)));
  }

  /** Refuses what is not written; nothing is tried any more. */
  end(): void {
    this.isEnding = true;
  }

  private async write(): Promise<void> {
    await Promise.resolve();
    while (this.isToWrite) {
      this.turn = this.writeOnce();
      await this.turn;
      this.turn = undefined;
      if (!this.parts.health.of('adds')) continue;
      if (this.isEnding) break;
      await delay(RETRY_DELAY);
    }
    // In the same turn as the last look: what is told from now on begins anew.
    this.writing = undefined;
  }

  /** Goes on in trouble too, by probes: until the database can be written, everything is refused at once. */
  private get isToWrite(): boolean {
    return this.waiting.length > 0 || this.voided.length > 0 || this.parts.health.of('adds') !== undefined;
  }

  private async writeOnce(): Promise<void> {
    const { health, writes } = this.parts;
    const batch = (this.batch = this.takeBatch());
    const start = performance.now();
    try {
      while (this.voided.length > 0) await this.takeOutVoided();
      if (batch.length > 0) await this.writeBatch(batch);
      else if (health.of('adds')) await run(this.parts, 'adder', 'probe');
      if (batch.length > 0) writes.wrote(batch.length, performance.now() - start);
      health.worked('adds');
    } catch (error) {
      this.failed(batch, error as StorageError);
      this.putBackReturned();
      if (this.isEnding) this.refuse(this.takeAll(), error as StorageError);
    } finally {
      this.putBackReturned();
      this.batch = [];
    }
  }

  private takeBatch(): PgEntry[] {
    const batch: PgEntry[] = [];
    let count = 0;
    let size = 0;
    for (const entry of this.waiting) {
      if (batch.length === MAX_BATCH || (batch.length > 0 && size + entry.bytes > MAX_BATCH_BYTES)) break;
      count++;
      if (entry.phase !== 'new') continue;
      entry.phase = 'writing';
      size += entry.bytes;
      batch.push(entry);
    }
    this.waiting.splice(0, count);
    this.waitingBytes -= size;
    return batch;
  }

  private takeAll(): PgEntry[] {
    const all = this.waiting.filter(({ phase }) => phase === 'new');
    this.waiting = [];
    this.waitingBytes = 0;
    return all;
  }

  private async writeBatch(batch: readonly PgEntry[]): Promise<void> {
    const { functions, connections, session } = this.parts;
    // A unique that was freed is free for this batch: otherwise its job would join one that is over.
    if (batch.some(({ job }) => job.unique !== '')) await this.endsWritten();
    await functions.make(
      batch.map(({ job }) => job.function),
      connections.adder,
    );
    const fresh = await this.unlessPacked(batch);
    // Where the session was lost since, the new one has another number.
    for (const entry of fresh) if (entry.owner > 0) entry.owner = session.id;
    const others = new Set(await this.inserts.write(fresh));
    for (const entry of fresh) if (!others.has(entry)) this.stored(entry, entry.owner > 0);
    const [packed, rows] = [
      [...others].filter(({ packing }) => packing),
      [...others].filter(({ packing }) => !packing),
    ];
    await this.settlePacked(packed);
    await this.settleOthers(rows);
  }

  /** Those of a batch that are not in packs already, where only a job may be that is known (`isKnown`). */
  private async unlessPacked(batch: readonly PgEntry[]): Promise<readonly PgEntry[]> {
    const handles = batch.filter(({ isKnown }) => isKnown).map(({ job }) => job.handle);
    if (handles.length === 0) return batch;
    await this.packs.unpack(handles, 'adder');
    const found = await this.packs.find(handles);
    const byHandle = new Map(found.map((row) => [handleOf(row), this.existing(row)]));
    if (byHandle.size === 0) return batch;
    for (const entry of batch) {
      const same = entry.isKnown && byHandle.get(entry.job.handle);
      if (same) this.coalesced(entry, same.job);
    }
    return batch.filter(({ isKnown, job }) => !(isKnown && byHandle.has(job.handle)));
  }

  /**
   * Jobs whose packs are there since a write whose outcome nobody knew: they were
   * written then, whatever became of them. The write of a probe waits for that
   * one.
   */
  private async settlePacked(entries: readonly PgEntry[]): Promise<void> {
    const tried = entries.filter(({ isDoubtful }) => isDoubtful);
    for (const entry of entries) {
      if (entry.isDoubtful) continue;
      // Another pack has that name, however unlikely: this one was never tried before, so it is not
      // there.
      entry.pack = entry.packing = undefined;
      this.again(entry);
    }
    if (tried.length === 0) return;
    await run(this.parts, 'adder', 'probe');
    for (const entry of tried) this.stored(entry, false);
  }

  /** Finds out why jobs were not written: their handle is there, or their unique, or was a moment ago. */
  private async settleOthers(entries: readonly PgEntry[]): Promise<void> {
    const { functions } = this.parts;
    const byHandle = new Map<string, Existing>();
    const found = await run(this.parts, 'adder', 'byHandles', [bytesArray(entries.map(({ job }) => job.handle))]);
    for (const row of found.rows) byHandle.set(handleOf(row), this.existing(row));
    const wanted = new Map<string, PgEntry>();
    for (const entry of entries) if (entry.job.unique !== '') wanted.set(keyOf(entry.job), entry);
    const keyed = [...wanted.values()].map(({ job }) => job);
    const byUnique = new Map<string, Existing>();
    if (keyed.length > 0) {
      const ids = intArray(keyed.map((job) => functions.id(job.function)!));
      const uniques = await run(this.parts, 'adder', 'byUniques', [
        ids,
        bytesArray(keyed.map(({ unique }) => uniqueKey(unique))),
      ]);
      for (const row of uniques.rows) {
        const existing = this.existing(row);
        byUnique.set(keyOf(existing.job), existing);
      }
    }
    const joined: [PgEntry, Existing][] = [];
    const written: [PgEntry, Existing][] = [];
    for (const entry of entries) {
      const same = byHandle.get(entry.job.handle);
      const existing = same ?? byUnique.get(keyOf(entry.job));
      if (same && entry.isDoubtful) written.push([entry, same]);
      else if (existing) joined.push([entry, existing]);
      else this.again(entry);
    }
    await this.confirm(written);
    await this.join(joined);
  }

  /**
   * Jobs that are there since a write whose outcome nobody knew. The wait for the
   * standby may have been given up then: a later write waits for both.
   */
  private async confirm(written: readonly (readonly [PgEntry, Existing])[]): Promise<void> {
    if (written.length === 0) return;
    await run(this.parts, 'adder', 'confirm', [bytesArray(written.map(([{ job }]) => job.handle))]);
    for (const [entry, { owner }] of written) this.stored(entry, owner > 0 && owner === entry.owner);
  }

  /**
   * Submissions that other jobs stand for. First it is written that those jobs are wanted: the
   * submission that made one may still be refused, and must not take it back then.
   */
  private async join(joined: readonly (readonly [PgEntry, Existing])[]): Promise<void> {
    const unwanted = joined.filter(([, { isWanted }]) => !isWanted).map(([, { job }]) => job.handle);
    const there = new Set<string>();
    if (unwanted.length > 0) {
      const { rows } = await run(this.parts, 'adder', 'want', [bytesArray(unwanted)]);
      for (const row of rows) there.add(handleOf(row));
    }
    for (const [entry, { job, isWanted }] of joined) {
      if (isWanted || there.has(job.handle)) this.coalesced(entry, job);
      else this.again(entry);
    }
  }

  private existing(row: PgRow): Existing {
    const { function: id, owner, wanted = true } = row as { function: number; owner: number; wanted?: boolean };
    return { job: jobOf(row, this.parts.functions.name(id)), owner, isWanted: wanted };
  }

  /** A job is written, and leased where it was to be, unless its session was lost meanwhile. */
  private stored(entry: PgEntry, wasLeased: boolean): void {
    const { owned, hints, listener, ready, session } = this.parts;
    const isLeased = wasLeased && entry.owner === session.id;
    const { job, queue } = entry;
    entry.phase = 'written';
    entry.packing = undefined;
    const wasLate = entry.isLate;
    queue.settled(entry.told, true);
    if (entry.owner > 0 && !isLeased) {
      owned.delete(job.handle);
      if (!wasLate) listener.lost?.([job.handle]);
    } else if (entry.owner === 0) {
      owned.delete(job.handle);
      hints.queue(job.function, job.priority).expect(job.at);
      // Others may have leased jobs that were told later.
      if (performance.now() - entry.since > SETTLED) {
        queue.lower();
        queue.isBack = true;
      }
      ready.add(queue);
    }
    entry.takeAdder()?.stored(undefined, wasLate && isLeased && entry.end === undefined);
    if (isLeased) this.goOn(entry);
  }

  private coalesced(entry: PgEntry, existing: StoredJob): void {
    entry.phase = 'written';
    entry.queue.settled(entry.told, false);
    const { owned } = this.parts;
    const { handle } = entry.job;
    // It may be that very job, which was leased to this owner meanwhile.
    const isOwned = owned.has(handle) && owned.get(handle) !== entry;
    if (!isOwned) owned.delete(handle);
    entry.takeAdder()?.stored(existing, isOwned);
  }

  private again(entry: PgEntry): void {
    entry.phase = 'new';
    this.returned.push(entry);
    this.waitingBytes += entry.bytes;
  }

  /** What is to be written again takes its old place. */
  private putBackReturned(): void {
    if (this.returned.length === 0) return;
    this.returned.sort((one, other) => one.number - other.number);
    this.waiting = [...this.returned, ...this.waiting];
    this.returned = [];
  }

  private failed(batch: readonly PgEntry[], error: StorageError): void {
    const { health, options } = this.parts;
    health.failed('adds', error);
    const open = batch.filter(({ phase }) => phase === 'writing');
    for (const entry of open) {
      entry.isDoubtful ||= isLost(error);
      // Its pack is not there: the job may go into another one.
      if (!entry.isDoubtful) entry.pack = entry.packing = undefined;
    }
    // A pack's jobs are refused together, or none of them.
    const late = ({ packing, since }: PgEntry): boolean =>
      performance.now() - (packing?.since ?? since) >= options.patience;
    for (const entry of open) if (!late(entry)) this.again(entry);
    const rest = this.waiting.filter((entry) => entry.phase === 'new' && late(entry));
    this.waiting = this.waiting.filter((entry) => !rest.includes(entry));
    for (const entry of rest) this.waitingBytes -= entry.bytes;
    this.refuse([...open.filter(late), ...rest], error);
  }

  private refuse(entries: readonly PgEntry[], error: StorageError): void {
    for (const entry of entries) {
      entry.phase = 'written';
      entry.queue.settled(entry.told, false);
      this.parts.owned.delete(entry.job.handle);
      // A job that ran here before it was stored may not be new in the database, and is run here
      // anyway.
      if (entry.isDoubtful && !entry.isKnown) this.void(entry);
      entry.takeAdder()?.refused(error);
    }
  }

  private void(entry: PgEntry): void {
    this.voided.push(entry);
    const now = performance.now();
    this.refused.set(entry.job.handle, now);
    for (const [handle, since] of this.refused) {
      if (this.refused.size <= MAX_REFUSED && now - since < REFUSED_TIME) break;
      this.refused.delete(handle);
    }
  }

  /** Deletes jobs that were refused and may have been written: no refused job may appear later. */
  private async takeOutVoided(): Promise<void> {
    const entries = this.voided.slice(0, MAX_BATCH);
    await this.parts.functions.make(
      entries.map(({ job }) => job.function),
      this.parts.connections.adder,
    );
    // Writing them again waits for a transaction that still hangs with one of them.
    await this.inserts.writeAgain(entries.filter(({ pack, packing }) => packing ?? !pack));
    await this.packs.void(entries);
    const handles = bytesArray(entries.map(({ job }) => job.handle));
    await run(this.parts, 'adder', 'void', [handles, intArray(this.parts.session.all)]);
    this.voided = this.voided.slice(entries.length);
  }
}

/** The number of the first, which was told first. */
function numberOf([first]: readonly PgEntry[]): number {
  return first?.number ?? Infinity;
}

function keyOf(job: StoredJob): string {
  return `${job.function}\0${job.unique}`;
}

function handleOf(row: PgRow): string {
  return (row as { readonly handle: Buffer }).handle.toString('latin1');
}
