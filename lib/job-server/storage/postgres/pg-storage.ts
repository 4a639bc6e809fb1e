import { checkJob, checkOrigin, checkSetting, checkTick, checkTime } from '../job-limits.js';
import type { Adder, DueJobs, FireOutcome, JobStorage, PageOptions, StorageListener } from '../job-storage.js';
import { tickName } from '../last-tick.js';
import { Opening } from '../opening.js';
import type { StorageError } from '../storage-error.js';
import { StorageWrites, type StorageHealth } from '../storage-health.js';
import {
  changedJob,
  noJobs,
  placed,
  type DeadLetter,
  type FoundJob,
  type FunctionCounts,
  type JobChanges,
  type JobCounters,
  type JobOutcome,
  type JobRecord,
  type OnceOutcome,
  type Past,
  type QueuedJob,
  type Removal,
  type Replay,
  type StoredJob,
  type StoredPriority,
} from '../stored-job.js';
import { OpenPg } from './open-pg.js';
import { MAX_PACK, MIN_PACK } from './pack-name.js';
import { PgEntry, type End, type ReadJob } from './pg-entry.js';
import { leaseJobs } from './pg-leases.js';
import { jobsInPack, splitHandle } from './pg-pack.js';
import { checkPgOptions, type CheckedPgOptions, type PgStorageOptions } from './pg-options.js';
import type { PgResult, PgRow } from './pg-package.js';
import { run } from './pg-parts.js';
import { bytes, bytesArray, jobOf, longUnique, uniqueKey } from './pg-values.js';

const NO_SETTINGS: ReadonlyMap<string, string> = new Map();

/**
 * Jobs in PostgreSQL, which several job servers share: any of them accepts a
 * job, any other gives it to a worker, and jobs that were leased to one that
 * died wait for the others. PostgreSQL replicates it where it is set up to.
 *
 * Many submissions share one commit. In memory are only jobs that are leased
 * and those that are not written yet. Needs the package `pg` and PostgreSQL 13
 * or later.
 */
export class PgStorage implements JobStorage {
  readonly isShared = true;
  private readonly options: CheckedPgOptions;
  private readonly opening = new Opening<OpenPg>();

  /**
   * Throws a {@link StorageError} naming the option that is invalid.
   *
   * @param packFrom how many jobs of a queue that come together are kept in one row. Tests have it lower than it pays.
   */
  constructor(
    options: PgStorageOptions,
    private readonly packFrom = MIN_PACK,
  ) {
    this.options = checkPgOptions(options);
  }

  get isFenced(): boolean {
    return this.opened?.beat.isFenced ?? false;
  }

  async open(listener: StorageListener): Promise<void> {
    await this.opening.open(() => OpenPg.open(this.options, listener, this.packFrom));
  }

  async close(): Promise<void> {
    await this.opening.close();
  }

  async flush(): Promise<void> {
    await this.open_.flush();
  }

  add(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    try {
      return this.addChecked(job, lease, adder);
    } catch (error) {
      queueMicrotask(() => adder.refused(error as StorageError));
      return false;
    }
  }

  async lease(functionName: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]> {
    const opened = this.open_;
    const { connections, functions, hints } = opened.parts;
    if (opened.adds.isBehind) await opened.adds.flush();
    const queue = hints.queue(functionName, priority);
    // What was given back a moment ago can be leased, in its place.
    if (opened.ends.givesBackTo(queue)) await opened.ends.flush();
    const id = await functions.find(functionName, connections.leaser);
    if (id === undefined || this.opened !== opened) return [];
    const owner = opened.parts.session.id;
    const read = await leaseJobs(opened.parts, queue, { owner, function: id, priority, count, now });
    // The session was taken for dead meanwhile: others have them.
    if (owner !== opened.parts.session.id) return [];
    queue.leased(
      read.map(({ job }) => job),
      count,
      now,
    );
    return read.filter((each) => this.keepLeased(opened, each, owner)).map(({ job }) => job);
  }

  async leaseOne(handle: string): Promise<StoredJob | undefined> {
    const opened = this.open_;
    await opened.flush();
    const { hints, session } = opened.parts;
    const owner = session.id;
    opened.unknownLeases++;
    try {
      const values = [owner, bytes(handle)];
      const [row] = await this.askRows(opened, handle, () => run(opened.parts, 'leaser', 'leaseOne', values));
      if (!row || owner !== session.id) return undefined;
      const job = await this.jobIn(opened, row);
      hints.queue(job.function, job.priority).wrote([0, -1, -Number(job.at > 0)]);
      return this.keepLeased(opened, { job, index: 0 }, owner) ? job : undefined;
    } finally {
      opened.unknownLeases--;
    }
  }

  change(handle: string, { attempts, losses }: JobCounters): void {
    const entry = this.leased(handle);
    if (!entry) return;
    entry.job = changedJob(entry.job, { attempts, losses });
    entry.isChanged = true;
    if (entry.phase === 'written') this.opened?.ends.add(entry);
  }

  release(handle: string, changes: JobChanges = {}): void {
    if (changes.at !== undefined) checkTime(changes.at);
    const entry = this.leased(handle);
    if (!entry) return;
    entry.job = changedJob(entry.job, changes);
    this.endAs(entry, { is: 'release' });
    entry.queue.expect(entry.job.at);
  }

  done(handle: string, outcome?: JobOutcome): void {
    const entry = this.leased(handle);
    if (!entry || !this.opened) return;
    if (entry.phase !== 'new' || entry.isDoubtful || outcome) {
      this.endAs(entry, { is: 'done', outcome });
      return;
    }
    // It was never written, and never will be.
    this.opened.adds.drop(entry);
    this.opened.parts.owned.delete(handle);
    entry.queue.settled(entry.told, false);
    const told = entry.takeAdder();
    if (told) queueMicrotask(() => told.stored());
  }

  bury(handle: string, error: string, now: number): void {
    const entry = this.leased(handle);
    if (entry) this.endAs(entry, { is: 'bury', error, diedAt: now });
  }

  async remove(handle: string): Promise<Removal> {
    const opened = this.open_;
    await opened.flush();
    const { hints, session } = opened.parts;
    const entry = opened.parts.owned.get(handle);
    if (entry) await opened.packs.makeRows([entry]);
    const values = [bytes(handle), session.id];
    const rows = await this.askRows(opened, handle, () => run(opened.parts, 'leaser', 'remove', values));
    const gone = rows[0] as { function: number; priority: StoredPriority; owner: number; at: string } | undefined;
    if (gone) {
      const isWaiting = gone.owner === 0;
      const change = [-1, -Number(isWaiting), -Number(isWaiting && Number(gone.at) > 0)] as const;
      hints.queue(await this.nameOf(opened, gone.function), gone.priority).wrote(change);
      opened.parts.owned.delete(handle);
      return 'removed';
    }
    const found = (await opened.find.job(handle)) as { owner: number } | undefined;
    if (!found) return 'unknown';
    await run(opened.parts, 'leaser', 'tellCancelled', [found.owner, bytes(handle)]);
    opened.session.tell(`cancel ${session.id} ${found.owner}`);
    return 'told';
  }

  async findByHandle(handle: string): Promise<FoundJob | undefined> {
    const opened = this.open_;
    await opened.flush();
    const row = await opened.find.job(handle);
    if (row) return this.queued(opened, row);
    const dead = await opened.find.deadLetter(handle);
    if (dead) return { state: 'dead', letter: await this.letterIn(opened, dead) };
    const ended = await opened.find.result(handle);
    if (!ended) return undefined;
    const { function: id, state, result, keep_until: keepUntil } = ended as ResultRow;
    return {
      state: 'ended',
      function: await this.nameOf(opened, id),
      outcome: { state, result, keepUntil: Number(keepUntil) },
    };
  }

  async want(handle: string): Promise<boolean> {
    const opened = this.open_;
    const ask = (): Promise<PgResult> => run(opened.parts, 'adder', 'want', [bytesArray([handle])]);
    if ((await this.askRows(opened, handle, ask)).length > 0) return true;
    // Only its own submission was answered with a job in a pack; whoever has leased it keeps it.
    return (await opened.packs.find([handle])).length > 0;
  }

  async findByUnique(unique: string, functionName?: string): Promise<QueuedJob | undefined> {
    const opened = this.open_;
    const key = uniqueKey(unique);
    if (!key) return undefined;
    await opened.flush();
    const id = await this.idOf(opened, functionName);
    if (id === undefined) return undefined;
    const { rows } = await run(opened.parts, 'leaser', 'findUnique', [key, id]);
    return rows[0] ? this.queued(opened, rows[0]) : undefined;
  }

  counts(): FunctionCounts[] {
    return this.opened?.parts.hints.counts() ?? [];
  }

  count(functionName: string): FunctionCounts {
    return this.opened?.parts.hints.count(functionName) ?? noJobs(functionName);
  }

  oldest(functionName: string, priority: StoredPriority, now: number): number | undefined {
    const parts = this.opened?.parts;
    return parts?.ages.oldest(parts.hints.queue(functionName, priority), now);
  }

  health(): StorageHealth {
    const { opened } = this;
    if (!opened) return { backlog: 0, writes: new StorageWrites() };
    const { adds, ends, parts } = opened;
    return { backlog: adds.backlog + ends.backlog, writes: parts.writes, dead: parts.dead.latest };
  }

  due(now: number): DueJobs {
    return this.opened?.parts.hints.due(now) ?? { ready: [], next: Infinity };
  }

  async *iterate({ function: only, pageSize = 1_000 }: PageOptions = {}): AsyncGenerator<StoredJob[]> {
    const opened = this.open_;
    await opened.flush();
    const id = await this.idOf(opened, only);
    // Those that come meanwhile are left out: there might be no end of them.
    const last = (await run(opened.parts, 'leaser', 'lastSequence')).rows[0] as { above: string };
    if (id === undefined) return;
    // Packs first: a job that gets a row meanwhile is told twice, and not left out.
    yield* this.iteratePacks(opened, id, pageSize, last.above);
    for (let after: Buffer = Buffer.alloc(0); ;) {
      const { rows } = await run(opened.parts, 'leaser', 'jobPage', [after, id, pageSize, last.above]);
      if (rows.length === 0) return;
      const jobs: StoredJob[] = [];
      for (const row of rows) jobs.push(await this.jobIn(opened, row));
      yield jobs;
      after = bytes(jobs.at(-1)!.handle);
    }
  }

  async *deadLetters({ function: only, pageSize = 1_000 }: PageOptions = {}): AsyncGenerator<DeadLetter[]> {
    const opened = this.open_;
    await opened.flush();
    const id = await this.idOf(opened, only);
    for (let after: readonly [number, number] = [-1, -1]; id !== undefined;) {
      const { rows } = await run(opened.parts, 'leaser', 'deadPage', [...after, id, pageSize]);
      if (rows.length === 0) return;
      const letters: DeadLetter[] = [];
      for (const row of rows) letters.push(await this.letterIn(opened, row));
      yield letters;
      const last = letters.at(-1)!;
      after = [last.diedAt, last.job.sequence];
    }
  }

  async replay(handle: string, { acceptedAt, reducer }: Replay = {}): Promise<boolean> {
    const opened = this.open_;
    await opened.flush();
    const { rows } = await run(opened.parts, 'adder', 'replay', [
      bytes(handle),
      reducer === undefined ? null : bytes(reducer),
      acceptedAt ?? null,
    ]);
    const made = rows[0] as { function: number; priority: StoredPriority } | undefined;
    if (!made) return false;
    opened.parts.dead.changed();
    const queue = opened.parts.hints.queue(await this.nameOf(opened, made.function), made.priority);
    queue.wrote([1, 1, 0]);
    opened.parts.ready.add(queue);
    return true;
  }

  async purge(handle: string): Promise<boolean> {
    const opened = this.open_;
    await opened.flush();
    const { rowCount } = await run(opened.parts, 'leaser', 'purge', [bytes(handle)]);
    opened.parts.dead.changed();
    return rowCount === 1;
  }

  settings(): ReadonlyMap<string, string> {
    return this.opened?.settings.known ?? NO_SETTINGS;
  }

  set(name: string, value: string | undefined): void {
    checkSetting(name, value, this.settings());
    this.opened?.ends.set(name, value);
  }

  async fire(id: string, tick: number, job?: JobRecord): Promise<FireOutcome> {
    const opened = this.open_;
    checkTick(id, tick);
    if (job) checkJob(job);
    const name = tickName(id);
    checkSetting(name, String(tick), opened.settings.known);
    return opened.track(opened.fires.fire({ name, tick, job }));
  }

  async forget(now: number, limit = 1_000): Promise<number> {
    const opened = this.open_;
    await opened.ends.flush();
    const { rowCount } = await run(opened.parts, 'leaser', 'forget', [Math.floor(now), limit]);
    return rowCount ?? 0;
  }

  async addOnce(job: JobRecord, origin: string, past?: Past): Promise<OnceOutcome> {
    const opened = this.open_;
    checkJob(job);
    checkOrigin(origin);
    return opened.addOnce(() => this.addOnceNow(opened, job, origin, past));
  }

  private async addOnceNow(opened: OpenPg, job: JobRecord, origin: string, past?: Past): Promise<OnceOutcome> {
    const { connections, functions, hints, ready } = opened.parts;
    await functions.make([job.function], connections.adder);
    const { rows } = await run(
      opened.parts,
      'adder',
      'addOnce',
      onceValues(job, functions.id(job.function)!, origin, past),
    );
    const { fresh, made, known } = rows[0] as { fresh: number; made: number; known: number };
    if (fresh === 0) return 'known';
    // A statement does not see what it makes itself.
    if (made === 0) return known > 0 ? 'known' : 'coalesced';
    if (past) {
      if ('error' in past) opened.parts.dead.changed();
      return 'added';
    }
    const queue = hints.queue(job.function, job.priority);
    queue.wrote([1, 1, Number(job.at > 0)]);
    queue.expect(job.at);
    ready.add(queue);
    return 'added';
  }

  async forgetOrigins(): Promise<number> {
    const { rowCount } = await run(this.open_.parts, 'adder', 'forgetOrigins');
    return rowCount ?? 0;
  }

  // --- inside ---

  private get open_(): OpenPg {
    return this.opening.opened;
  }

  private get opened(): OpenPg | undefined {
    return this.opening.current;
  }

  private addChecked(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    const opened = this.open_;
    checkJob(job);
    const refusal = opened.adds.refusal;
    if (refusal) throw refusal;
    const { owned, hints, health, session } = opened.parts;
    const queue = hints.queue(job.function, job.priority);
    const isNext = job.at === 0 && queue.counts[1] === 0 && !health.trouble;
    const isLeased = lease === 'always' || (lease && isNext);
    const isLate = isLeased && lease !== 'always' && job.unique !== '';
    const isKnown = lease === 'always';
    const entry = new PgEntry(queue, placed(job, 0), isLeased ? session.id : 0, adder, { isLate, isKnown });
    if (!isLeased) queue.expect(job.at);
    if (isLeased) owned.set(job.handle, entry);
    opened.adds.add(entry);
    return isLeased && !isLate;
  }

  /** The entry of a job that the caller has leased. */
  private leased(handle: string): PgEntry | undefined {
    const entry = this.opened?.parts.owned.get(handle);
    return entry && entry.owner > 0 && !entry.end ? entry : undefined;
  }

  /** This owner has a job no longer. */
  private endAs(entry: PgEntry, end: End): void {
    const { opened } = this;
    if (!opened) return;
    opened.parts.owned.delete(entry.job.handle);
    if (entry.phase === 'new' && !entry.packing && end.is === 'release') {
      // It is not written yet: it is written as one that waits.
      entry.queue.settled(entry.told, false);
      entry.owner = 0;
      entry.retell();
      return;
    }
    entry.end = end;
    entry.queue.told(end.is === 'release' ? [0, 1, Number(entry.job.at > 0)] : [-1, 0, 0]);
    if (entry.phase === 'written') opened.ends.add(entry);
  }

  /** A job is leased; answers false for one that was refused, which is taken out. */
  private keepLeased({ adds, parts }: OpenPg, read: ReadJob, owner: number): boolean {
    const { job } = read;
    const entry = PgEntry.leased(parts.hints.queue(job.function, job.priority), read, owner);
    if (adds.takeOut(entry)) return false;
    parts.owned.set(job.handle, entry);
    return true;
  }

  /** Asks something of the row of a job, and again once it has one, where it waits in a pack. */
  private async askRows({ packs }: OpenPg, handle: string, ask: () => Promise<PgResult>): Promise<readonly PgRow[]> {
    const { rows } = await ask();
    if (rows.length > 0 || !(await packs.unpack([handle], 'leaser'))) return rows;
    return (await ask()).rows;
  }

  private async *iteratePacks(
    opened: OpenPg,
    id: number | null,
    pageSize: number,
    above: string,
  ): AsyncGenerator<StoredJob[]> {
    let rest: StoredJob[] = [];
    for (let after: readonly [number, string] = [-1, '0']; ;) {
      const packs = Math.ceil(pageSize / MAX_PACK);
      const { rows } = await run(opened.parts, 'leaser', 'packPage', [...after, id, above, packs]);
      for (const row of rows as readonly { function: number; maker: number; number: string }[]) {
        rest.push(...jobsInPack(row, await this.nameOf(opened, row.function)).map(({ job }) => job));
        after = [row.maker, row.number];
      }
      while (rest.length >= pageSize || (rows.length === 0 && rest.length > 0)) {
        yield rest.slice(0, pageSize);
        rest = rest.slice(pageSize);
      }
      if (rows.length === 0) return;
    }
  }

  private async queued(opened: OpenPg, row: PgRow): Promise<QueuedJob> {
    const job = await this.jobIn(opened, row);
    const { owner, holder, address } = row as { owner: number; holder: string | null; address: string | null };
    if (owner === 0) return { state: 'waiting', job };
    if (owner === opened.parts.session.id) return { state: 'leased', job };
    return { state: 'leased', job, holder: { name: holder ?? '', address: address ?? '' } };
  }

  private async jobIn(opened: OpenPg, row: PgRow): Promise<StoredJob> {
    return jobOf(row, await this.nameOf(opened, (row as { function: number }).function));
  }

  private async letterIn(opened: OpenPg, row: PgRow): Promise<DeadLetter> {
    const { error, died_at: diedAt } = row as { error: Buffer; died_at: string };
    return { job: await this.jobIn(opened, row), error: error.toString(), diedAt: Number(diedAt) };
  }

  private async nameOf({ parts }: OpenPg, id: number): Promise<string> {
    await parts.functions.learn([id], parts.connections.leaser);
    return parts.functions.name(id);
  }

  /** The number of the only function to list, null for all; undefined for one that nobody has numbered. */
  private async idOf({ parts }: OpenPg, name: string | undefined): Promise<number | null | undefined> {
    return name === undefined ? null : parts.functions.find(name, parts.connections.leaser);
  }
}

interface ResultRow {
  readonly function: number;
  readonly state: JobOutcome['state'];
  readonly result: Buffer;
  readonly keep_until: string;
}

function onceValues(job: JobRecord, id: number, origin: string, past: Past | undefined): unknown[] {
  const { handle, at, attempts, losses, priority, unique, reducer, workload } = job;
  const death = past && 'error' in past ? past : undefined;
  const outcome = past && 'result' in past ? past : undefined;
  const long = longUnique(unique);
  const split = splitHandle(handle);
  return [
    bytes(origin),
    bytes(handle),
    at,
    id,
    attempts,
    losses,
    priority,
    uniqueKey(unique) ?? null,
    long === undefined ? null : bytes(long),
    bytes(reducer),
    typeof workload === 'string' ? bytes(workload) : Buffer.from(workload),
    death ? Buffer.from(death.error) : null,
    death ? Math.round(death.diedAt) : null,
    outcome?.state ?? null,
    outcome ? (typeof outcome.result === 'string' ? bytes(outcome.result) : Buffer.from(outcome.result)) : null,
    outcome ? Math.round(outcome.keepUntil) : null,
    job.acceptedAt ?? null,
    split ? bytes(split.prefix) : null,
    split?.number ?? null,
  ];
}
