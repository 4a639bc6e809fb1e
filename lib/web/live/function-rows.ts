import {
  PRIORITIES,
  Priority,
  type ByteString,
  type Engine,
  type GearmanFunction,
  type Watch,
} from '../../job-server/engine/index.js';
import type { JobServerCore } from '../../job-server/core.js';
import type { DeadCounts } from '../../job-server/durable/index.js';
import type { SeenChange, SeenFunction } from './function-board.js';

/** The values of a row after its number, in this order. */
export const COLUMNS = [
  'high',
  'normal',
  'low',
  'delayed',
  'running',
  'workers',
  /** Since the function became known. */
  'submitted',
  'completed',
  'failed',
  /** Dead letters. */
  'dead',
  /** When the oldest waiting job became ready, and when the longest running job started: milliseconds since `epoch`, 0: none. */
  'oldestAt',
  'longestAt',
  /** 1 while the function is paused. */
  'paused',
  /** 1 while submissions of some priority are refused. */
  'full',
] as const;

const DEAD = COLUMNS.indexOf('dead');

/** What a row is about: a function, or a name that only dead letters have. */
export interface RowKey {
  readonly name: ByteString;
}

/** Sees the functions of an engine. */
export class EngineRows {
  private readonly values = new Array<number>(COLUMNS.length).fill(0);
  /** The engine's clock at the {@link epoch}. */
  private readonly zero: number;
  /** The moment from which times are counted. */
  readonly epoch = new Date();

  private readonly engine: Engine;
  private readonly letters = new Map<ByteString, RowKey>();
  private watch: Watch<GearmanFunction> | undefined;
  /** The numbers of dead letters; undefined while no storage is open that has them. */
  private dead: DeadCounts | undefined;
  private deadWatch: Watch<ByteString> | undefined;
  /** Functions whose row may change without an event, because their oldest waiting job is only in the storage. */
  private unsure = new Set<GearmanFunction>();

  constructor(private readonly jobServer: Pick<JobServerCore, 'engine' | 'storedJobs' | 'tick'>) {
    jobServer.tick();
    this.engine = jobServer.engine;
    // A whole number, because a job's time is one.
    this.zero = Math.floor(this.engine.now);
  }

  /** Milliseconds since the {@link epoch}, by the clock that is used for the times in rows. */
  get now(): number {
    this.jobServer.tick();
    return Math.floor(this.engine.now) - this.zero;
  }

  /** All functions; from now on {@link changes} are known. Each value is valid until the next one is read. */
  *seen(): Generator<SeenFunction<RowKey>, void> {
    const { values, engine } = this;
    this.watch ??= engine.functions.touched.watch();
    this.watch.take();
    this.unsure.clear();
    this.watchDead();
    for (const name of this.letters.keys()) {
      if (this.deadOf(name) === 0 || engine.functions.find(name)) this.letters.delete(name);
    }
    let looked = 0;
    for (const function_ of engine.functions) {
      this.sliceOf(looked++);
      this.read(function_);
      yield { key: function_, values };
    }
    for (const [name, count] of this.dead?.byFunction ?? []) {
      this.sliceOf(looked++);
      if (!engine.functions.find(name)) yield this.lettersOf(name, count);
    }
  }

  /** The functions that may have changed since the last call of this or {@link seen}; undefined if any may have. */
  changes(): Iterable<SeenChange<RowKey>> | undefined {
    const touched = this.watch?.take();
    const names = this.touchedDead();
    if (!touched || !names) return undefined;
    for (const function_ of this.unsure) touched.add(function_);
    this.unsure.clear();
    return this.changed(touched, names);
  }

  /** Nobody asks for now, so changes are not remembered any more. */
  rest(): void {
    this.watch?.stop();
    this.deadWatch?.stop();
    this.watch = this.deadWatch = this.dead = undefined;
  }

  /** @param names with another number of dead letters than before. */
  private *changed(touched: Set<GearmanFunction>, names: Set<ByteString>): Generator<SeenChange<RowKey>, void> {
    const { values, engine } = this;
    for (const name of names) {
      const function_ = engine.functions.find(name);
      if (function_) touched.add(function_);
    }
    let looked = 0;
    for (const function_ of touched) {
      this.sliceOf(looked++);
      names.add(function_.name);
      if (engine.functions.find(function_.name) === function_) {
        this.read(function_);
        yield { key: function_, values };
      } else {
        yield { key: function_, values: undefined };
      }
    }
    for (const name of names) {
      const count = this.deadOf(name);
      if (count > 0 && !engine.functions.find(name)) yield this.lettersOf(name, count);
      else yield* this.withoutLetters(name);
    }
  }

  private sliceOf(looked: number): void {
    // Others had a turn of the event loop since.
    if (looked % 250 === 0) this.jobServer.tick();
  }

  private get deadNow(): DeadCounts | undefined {
    return this.jobServer.storedJobs?.health.dead;
  }

  /** Watches the current numbers of dead letters; a storage that is opened again counts them again. */
  private watchDead(): void {
    this.deadWatch?.stop();
    this.dead = this.deadNow;
    this.deadWatch = this.dead?.touched.watch();
  }

  /** The functions whose number of dead letters has changed; undefined if any may have. */
  private touchedDead(): Set<ByteString> | undefined {
    if (this.deadNow !== this.dead) return undefined;
    return this.deadWatch ? this.deadWatch.take() : new Set();
  }

  private deadOf(name: ByteString): number {
    return this.dead?.of(name) ?? 0;
  }

  /** The row of a name that only dead letters have. */
  private lettersOf(name: ByteString, count: number): SeenFunction<RowKey> {
    const { values, letters } = this;
    const key = letters.get(name) ?? { name };
    letters.set(name, key);
    values.fill(0);
    values[DEAD] = count;
    return { key, values };
  }

  /** Removes the row of a name that has no dead letters any more, or has a function now. */
  private *withoutLetters(name: ByteString): Generator<SeenChange<RowKey>, void> {
    const key = this.letters.get(name);
    if (key) yield { key, values: undefined };
    this.letters.delete(name);
  }

  private read(function_: GearmanFunction): void {
    const { values, engine } = this;
    values[0] = function_.due(Priority.high);
    values[1] = function_.due(Priority.normal);
    values[2] = function_.due(Priority.low);
    values[3] = function_.delayedTotal;
    values[4] = function_.running;
    values[5] = function_.workers.size;
    if (function_.hasStats) {
      const { submitted, completed, failed, buried } = function_.stats;
      values[6] = submitted;
      values[7] = completed;
      values[8] = failed + buried;
    } else {
      values[6] = values[7] = values[8] = 0;
    }
    values[DEAD] = this.deadOf(function_.name);
    const oldest = engine.oldestWaiting(function_);
    values[10] = this.since(oldest > 0 || function_.queues.some(({ head }) => head), oldest);
    values[11] = this.since(function_.running > 0, function_.longestRunning(engine.now));
    values[12] = function_.isPaused ? 1 : 0;
    values[13] = function_.limits.some((limit) => limit > 0 && function_.total >= limit) ? 1 : 0;
    if (this.mayAge(function_)) this.unsure.add(function_);
  }

  /** Whether its oldest job is only in the storage, so that its age is not known for good. */
  private mayAge(function_: GearmanFunction): boolean {
    for (const priority of PRIORITIES) {
      if (function_.queues[priority].head || function_.due(priority) === 0) continue;
      if (function_.storedSince?.[priority] === undefined) return true;
    }
    return false;
  }

  private since(isAny: boolean, age: number): number {
    // 0 means none, so a job that began at just that moment counts as one millisecond later.
    return isAny ? Math.floor(this.engine.now) - age - this.zero || 1 : 0;
  }
}
