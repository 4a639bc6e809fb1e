import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Moment, Outcome, Workload } from '../engine/index.js';
import type { JobOutcome, JobStorage } from '../storage/index.js';

/** How often results whose time is over are looked for, in milliseconds. */
const FORGET_INTERVAL = 10_000;

/** How many of them are forgotten at once. */
const FORGET_BATCH = 1_000;

/** The results of ended jobs, kept for a time (`keepResults`). */
export class KeptResults {
  private nextForget = 0;

  /** @param time how long each can be asked for, in milliseconds; 0: none is kept. */
  constructor(
    private readonly storage: JobStorage,
    private readonly time: number,
  ) {}

  /** What is kept of an ended job, or undefined. */
  outcomeOf(outcome: Outcome, result: Workload, time: Moment): JobOutcome | undefined {
    if (this.time === 0 || (outcome !== 'completed' && outcome !== 'failed')) return undefined;
    const state = outcome === 'completed' ? 'complete' : 'failed';
    return { state, result, keepUntil: time.date + this.time };
  }

  /** Forgets those whose time is over, now and then; returns when to ask again, as `now` counts. Rejections go to `failed`. */
  tick({ now, date }: Moment, failed: (error: Error) => void): number {
    if (this.time === 0) return Infinity;
    if (now >= this.nextForget) {
      this.nextForget = now + FORGET_INTERVAL;
      this.forget(date).catch(failed);
    }
    return this.nextForget;
  }

  private async forget(date: number): Promise<void> {
    while ((await this.storage.forget(date, FORGET_BATCH)) === FORGET_BATCH) await nextTurn();
  }
}
