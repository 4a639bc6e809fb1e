import { Priority, type ByteString, type Engine, type GearmanFunction } from '../../job-server/engine/index.js';
import type { JobServerCore } from '../../job-server/core.js';
import type { SeenFunction } from './function-board.js';

/** What a row tells of a function after its number, in this order. */
export const COLUMNS = [
  'high',
  'normal',
  'low',
  'delayed',
  'running',
  'workers',
  /** Since the function is known. */
  'submitted',
  'completed',
  'failed',
  /** Dead letters. */
  'dead',
  /** Since when the oldest job waits, and the one that was started first runs: milliseconds since `epoch`, 0: none. */
  'oldestAt',
  'longestAt',
  /** 1 while paused. */
  'paused',
  /** 1 while a submission of some priority is refused. */
  'full',
] as const;

const DEAD = COLUMNS.indexOf('dead');

/** What a row is of: a function, or the name of one that has nothing here but dead letters. */
export interface RowKey {
  readonly name: ByteString;
}

const NONE: ReadonlyMap<ByteString, number> = new Map();

/** Sees the functions of an engine. */
export class EngineRows {
  private readonly values = new Array<number>(COLUMNS.length).fill(0);
  /** What the engine's clock says at the {@link epoch}. */
  private readonly zero: number;
  /** From when on times count. */
  readonly epoch = new Date();

  private readonly engine: Engine;
  private letters = new Map<ByteString, RowKey>();

  constructor(private readonly jobServer: Pick<JobServerCore, 'engine' | 'storedJobs' | 'tick'>) {
    jobServer.tick();
    this.engine = jobServer.engine;
    // A whole number: a job's time is one.
    this.zero = Math.floor(this.engine.now);
  }

  /** Milliseconds since the {@link epoch}, by the clock that times of rows follow. */
  get now(): number {
    this.jobServer.tick();
    return Math.floor(this.engine.now) - this.zero;
  }

  /** All functions; what is told of one holds until the next one is asked for. */
  *seen(): Generator<SeenFunction<RowKey>, void> {
    const { values, engine } = this;
    const dead = this.jobServer.storedJobs?.health.dead ?? NONE;
    let looked = 0;
    for (const function_ of engine.functions) {
      // Others had a turn since.
      if (looked++ % 250 === 0) this.jobServer.tick();
      this.read(function_, dead.get(function_.name) ?? 0);
      yield { key: function_, values };
    }
    const letters: typeof this.letters = new Map();
    for (const [name, count] of dead) {
      if (count === 0 || engine.functions.find(name)) continue;
      const key = this.letters.get(name) ?? { name };
      letters.set(name, key);
      values.fill(0);
      values[DEAD] = count;
      yield { key, values };
    }
    this.letters = letters;
  }

  private read(function_: GearmanFunction, dead: number): void {
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
    values[DEAD] = dead;
    const oldest = engine.oldestWaiting(function_);
    values[10] = this.since(oldest > 0 || function_.queues.some(({ head }) => head), oldest);
    values[11] = this.since(function_.running > 0, function_.longestRunning(engine.now));
    values[12] = function_.isPaused ? 1 : 0;
    values[13] = function_.limits.some((limit) => limit > 0 && function_.total >= limit) ? 1 : 0;
  }

  private since(isAny: boolean, age: number): number {
    // 0 stands for none: what began just then began a millisecond later.
    return isAny ? Math.floor(this.engine.now) - age - this.zero || 1 : 0;
  }
}
