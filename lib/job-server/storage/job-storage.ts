import type { StorageError } from './storage-error.js';
import type { StorageHealth } from './storage-health.js';
import type {
  DeadLetter,
  FoundJob,
  FunctionCounts,
  JobChanges,
  JobCounters,
  JobOutcome,
  JobRecord,
  OnceOutcome,
  Past,
  QueuedJob,
  QueueName,
  Removal,
  Replay,
  StoredJob,
  StoredPriority,
} from './stored-job.js';

/**
 * Where background jobs survive a restart: a queue with leases, not a log to
 * replay.
 *
 *              +------------------- release, lease lost -----------------+
 *              v                                                         |
 *   add --> WAITING --lease--> leased --done--> gone (or ENDED for keepResults)
 *              ^                 |
 *              | at              +--bury--> DEAD --purge--> gone
 *              |                              |
 *         +----+-------- replay --------------+
 *
 * Capitals persist; `leased` does not have to. An embedded storage keeps its
 * leases in memory only: after a crash every job waits again, in its old place.
 *
 * **Concurrency.** One owner (a job server) opens a storage; several owners may
 * have a shared one open ({@link isShared}). A job is leased to at most one
 * owner at a time, and only that owner may call `change`, `release`, `done` and
 * `bury` for it; from anybody else they do nothing. Leases belong to the
 * owner's session, from `open` to `close`, and the storage itself shows the
 * others that the session is alive. One that stalls is taken for dead: its jobs
 * wait again, it can end none of them any more, and it is told so
 * ({@link StorageListener.lost}). A job may run twice then: at least once, never
 * at most once.
 *
 * Calls of several owners that meet have the effect of one after the other: of
 * two that `add` a unique, `lease` a job or `remove` it, one does. What one
 * changes, the others see soon after: counts and `due` of a shared storage tell
 * what was last known, and {@link StorageListener.ready} comes when it changes.
 *
 * **Crash.** A job whose adder was told so is kept until `done`, `bury` or
 * `remove` is durable. All but `add` takes effect at once for the caller and is
 * made durable soon after, at the latest by `flush` or `close`: a crash before
 * that repeats work, and never loses a job. What cannot be written is told to
 * {@link StorageListener.trouble} and tried again until it can.
 *
 * Handles, functions, uniques, reducers are byte strings. No method reads a
 * wall clock: `now` is an argument, in milliseconds since 1970.
 *
 * @experimental It may change in any version until it has stayed the same for one.
 */
export interface JobStorage {
  /** Whether other owners may have it open at the same time. */
  readonly isShared: boolean;

  /**
   * True when the owner could not show the other owners that it is alive, for
   * so long that they may soon take its jobs. Then it must give none of its
   * leased jobs to a worker, and should give them back. It is read from a
   * clock, so that it is also true for a process that was stopped and goes on.
   * Missing in a storage that is not shared.
   */
  readonly isFenced?: boolean;

  /**
   * Makes the storage ready; the time it takes does not depend on how many jobs wait.
   *
   * After a `close` it may be opened again. Rejects with a {@link StorageError}.
   */
  open(listener: StorageListener): Promise<void>;

  /** Waits until everything is durable, gives all leases back and closes. Later calls reject, `void` ones do nothing. */
  close(): Promise<void>;

  /** Resolves when everything told before is durable; rejects when it could not be written. */
  flush(): Promise<void>;

  /**
   * Adds a job, and with `lease: true` leases it to the caller at once if it
   * would be the next one anyway: it is ready, and no older job of its function
   * and priority waits unleased. With `always` it is leased whatever waits
   * before it: the caller runs it already.
   *
   * Several servers that add the same function and unique at the same moment
   * get one job: one has added it, the others are told the existing one. So is,
   * in a shared storage, who adds a handle that is known already.
   *
   * Answers whether the caller has the job now and may run it, even before it
   * is durable. A shared storage cannot know yet whether another owner has a
   * job's unique: there, but for `always`, the lease of such a job comes with
   * the write ({@link Adder.stored}). `adder` is told what came of it, once,
   * after this call.
   */
  add(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean;

  /**
   * Leases the oldest ready jobs of a function and priority, at most `count`:
   * first those whose time has come, by their times, then those without one, in
   * the order they were accepted. Costs O(count). Where their workloads are long
   * it may bring fewer, and tells {@link StorageListener.ready} of the rest. A job whose adder was told can
   * be leased; one whose adder was not may already be among them.
   */
  lease(functionName: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]>;

  /** Leases this one job, whatever its place and time; `undefined` when it is unknown or leased already. */
  leaseOne(handle: string): Promise<StoredJob | undefined>;

  /** Writes changed counters of a leased job, which stays leased (its worker vanished, another one gets it). */
  change(handle: string, counters: JobCounters): void;

  /** Gives a leased job back: without `at` it takes its old place, with `at` it waits for its time. */
  release(handle: string, changes?: JobChanges): void;

  /**
   * Ends a leased job. If it was never written, it never will be, and its adder
   * is told. With an outcome its result is kept for a time.
   */
  done(handle: string, outcome?: JobOutcome): void;

  /** Moves a leased job to the dead letters; its unique is free again. */
  bury(handle: string, error: string, now: number): void;

  /**
   * Deletes a job that was cancelled, waiting or leased. If another owner has
   * leased it, that owner is told ({@link StorageListener.cancel}).
   */
  remove(handle: string): Promise<Removal>;

  /** What is known of a handle: waiting, leased, dead, or ended with a kept result. */
  findByHandle(handle: string): Promise<FoundJob | undefined>;

  /**
   * A client was answered with this job: from now on it stays, even if the
   * client that added it was refused, because nobody knew whether it had been
   * written. Resolves once that is durable; with false when the job is gone.
   * Missing in a storage that refuses nothing it may have written.
   */
  want?(handle: string): Promise<boolean>;

  /** The job, waiting or leased, of this unique: of one function, or the first found of any. */
  findByUnique(unique: string, functionName?: string): Promise<QueuedJob | undefined>;

  /** The counts of every function that has jobs, from memory: O(functions). A shared storage answers what it last knew. */
  counts(): FunctionCounts[];

  /** The counts of one function, likewise: O(1). */
  count(functionName: string): FunctionCounts;

  /**
   * Since when the jobs of a function and priority wait that nobody has leased
   * and a worker could take at `now`: the earliest time of those that would be
   * leased next, in milliseconds since 1970. Undefined where there are none, or
   * nobody knows. Costs the same whatever waits. A shared storage answers what it
   * last knew, and looks again soon because it was asked. Missing where an
   * implementation cannot tell.
   */
  oldest?(functionName: string, priority: StoredPriority, now: number): number | undefined;

  /** How the storage is doing, from memory: O(1). */
  health(): StorageHealth;

  /**
   * Which functions and priorities have unleased jobs whose time (`at`) has
   * come, and when it comes for others: O(functions that have such jobs),
   * however many jobs it has come for.
   * Throws a {@link StorageError} while that cannot be read. A shared storage
   * answers what it last knew, and tells {@link StorageListener.ready} of the rest.
   */
  due(now: number): DueJobs;

  /**
   * All jobs, waiting and leased, in pages. A job that comes, goes or moves
   * meanwhile may be left out or told twice. Holds nothing up between pages:
   * the event loop has a turn before the next one.
   */
  iterate(options?: PageOptions): AsyncIterable<StoredJob[]>;

  /** The dead letters in pages, longest dead first; otherwise as {@link iterate}. */
  deadLetters(options?: PageOptions): AsyncIterable<DeadLetter[]>;

  /** Lets a dead job wait again at once, without attempts or losses; false when it is not dead or its unique is taken. */
  replay(handle: string, as?: Replay): Promise<boolean>;

  /** Deletes a dead letter; false when there is none. */
  purge(handle: string): Promise<boolean>;

  /**
   * What is kept beside the jobs, by name: from memory, as it is now. A shared
   * storage answers what it last knew.
   */
  settings(): ReadonlyMap<string, string>;

  /**
   * Keeps a small value, such as JSON, by a name, instead of the one before;
   * `undefined`: nothing any more. Throws a {@link StorageError} for what
   * cannot be kept, and for the 25,001st name; then what was there stays.
   *
   * @param name a byte string of 1 to 1,024 bytes.
   * @param value a text of at most 16 KiB in UTF-8.
   */
  set(name: string, value: string | undefined): void;

  /**
   * Fires a tick of a schedule: if no tick of it so late was fired before, its
   * last tick is this one from now on, and the job is there, both or neither.
   * Resolves once that is durable; of several that fire the same tick, one has
   * `fired` it, and to the others it is `known`. Nobody is given the job before
   * that. If another job has its function and unique, that one stands for both.
   *
   * Without a job the tick is only passed over: what was fired last stays known.
   * The last tick stands among the {@link settings}: see `lastTickIn`.
   *
   * @param id the schedule's id, a byte string of 1 to 255 bytes.
   * @param tick milliseconds since 1970.
   */
  fire(id: string, tick: number, job?: JobRecord): Promise<FireOutcome>;

  /** Forgets kept results whose time is over, at most `limit` (default 1,000) of them; resolves with how many. */
  forget(now: number, limit?: number): Promise<number>;

  /**
   * Adds a job from elsewhere, unless one was added under the same origin before;
   * also when that one has ended since. Resolves once the job, and its origin, are
   * durable, both or neither. With a past it becomes a dead letter, or its result is
   * kept. Missing where an implementation cannot.
   *
   * @param origin where the job comes from, a byte string of at most 255 bytes.
   */
  addOnce?(job: JobRecord, origin: string, past?: Past): Promise<OnceOutcome>;

  /** Forgets all origins: jobs that came from them can be added again. Resolves with how many there were. */
  forgetOrigins?(): Promise<number>;

  /** Copies the storage as it is at this moment to a new folder while it runs; missing where an implementation cannot. */
  backup?(path: string): Promise<void>;
}

/**
 * Who adds a job, and is told what came of it. It is not a promise, which would
 * cost more than all the rest of a submission. It is never called inside a call
 * of the owner's, and must not throw.
 */
export interface Adder {
  /**
   * The job is durable, or has ended before it had to be. With `existing`, itself
   * durable, nothing was added: that job has this function and unique, or this handle.
   * With `isLeased`, the lease that was asked for came with the write: the caller, to
   * whom `add` answered false, has the job from now on. With both, the existing job is
   * this very one, and the caller has leased it meanwhile.
   */
  stored(existing?: StoredJob, isLeased?: boolean): void;
  /** Nothing was added, and a lease is void. */
  refused(error: StorageError): void;
}

/** What came of firing a tick: nobody had before, or somebody had it or a later one. */
export type FireOutcome = 'fired' | 'known';

/** What {@link JobStorage.due} answers. */
export interface DueJobs {
  readonly ready: readonly QueueName[];
  /**
   * When the next of the others becomes ready, in milliseconds since 1970; `Infinity` for never.
   * When the next job of a ready one does, the owner asks once a lease brought fewer than it asked for.
   */
  readonly next: number;
}

/** Options of the listings. */
export interface PageOptions {
  /** Only jobs of this function; default: of all. */
  readonly function?: string;
  /** The most entries of one page. Default 1,000. */
  readonly pageSize?: number;
}

/** What a storage tells its owner. Never called inside a call of the owner's. */
export interface StorageListener {
  /** Unleased jobs of this function and priority can be leased. Told once for a batch, not for every job. */
  ready(functionName: string, priority: StoredPriority): void;
  /** Writing fails, or fails for another reason now; or works again (`undefined`). Every adder is told on its own. */
  trouble(error: StorageError | undefined): void;
  /**
   * What it has on a disk can no longer be made shorter, and grows; or can be again
   * (`undefined`). All else works. Never told by a storage that has nothing of the kind.
   */
  compaction?(error: StorageError | undefined): void;
  /**
   * These jobs are the owner's no longer: its session was taken for dead. They
   * wait for anybody, or another one has them; what it still says of them has no
   * effect. Told before one of them can be leased to it again; never by a storage
   * that is not shared.
   */
  lost?(handles: readonly string[]): void;
  /** Another owner cancelled a job that this one has leased. Never told by a storage that is not shared. */
  cancel?(handle: string): void;
  /**
   * Another owner set something ({@link JobStorage.set}), `undefined`: it is kept no
   * more. Never told by a storage that is not shared.
   */
  set?(name: string, value: string | undefined): void;
  /**
   * The time by the clock of the machine that a shared storage is on, in milliseconds
   * since 1970, at some moment within the last `within` milliseconds. Told now and then.
   */
  clock?(date: number, within: number): void;
  /** What {@link JobStorage.isFenced} says has changed; told soon after, where nobody asks before. */
  fenced?(isFenced: boolean): void;
  /** A record that cannot be read was set aside: it is kept, but no longer run. */
  setAside(record: CorruptRecord): void;
}

/** A record that was set aside. */
export interface CorruptRecord {
  /** The function it was queued under. */
  readonly function: string;
  /** Under which key it is kept in quarantine, for people. */
  readonly key: string;
  /** What is wrong with it. */
  readonly reason: string;
  /** Its bytes, as they were found. */
  readonly bytes: Uint8Array;
}
