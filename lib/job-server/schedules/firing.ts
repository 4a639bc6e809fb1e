import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromByteString } from '../../protocol/index.js';
import { Log2Histogram } from '../../telemetry/metrics/index.js';
import { lookAgainFor, Timers } from '../engine/index.js';
import { lastTickIn } from '../storage/index.js';
import type { CronTable } from './cron.js';
import type { RecurringJob } from './recurring-job.js';
import type { ScheduleHost } from './schedule-host.js';
import { nextTick, ON_TIME, planTicks } from './ticks.js';

/** How long firing may hold up everything else at a time, in milliseconds. */
const SLICE = 1;
/** How many schedules fire at once: so many jobs are one write of the storage, or a few. */
const MAX_AT_ONCE = 200;
/**
 * When a tick that could not fire is tried again, at the earliest and at the latest, in
 * milliseconds; in between after a tenth of the time that it is late.
 */
const [RETRY_SOONEST, RETRY_LATEST] = [1_000, 30_000];

/**
 * Fires ticks that are due, and finds out when the next ones are.
 *
 *   armed --tick--> due --> attended --> unarmed --> armed
 *     ^                        |
 *     +---- seconds later -----+ failed
 *
 * Everything that is due begins to fire first, and none waits for another, so
 * that one write of the storage has many; the next times of patterns are found
 * out after that. Both is done in slices, and others have their turns in
 * between.
 */
export class Firing {
  /** How late ticks fired that were not missed, in milliseconds. */
  readonly lag = new Log2Histogram();
  private readonly timers = new Timers();
  private due: RecurringJob[] = [];
  private readonly unarmed: RecurringJob[] = [];
  private isWorking = false;
  private firing = 0;
  private landed: (() => void) | undefined;

  constructor(
    private readonly host: ScheduleHost,
    private readonly crons: CronTable,
  ) {}

  /** When something is due next, in milliseconds since 1970; Infinity: never. */
  get nextDue(): number {
    return this.timers.nextDue;
  }

  /** Fires what is due at this date. */
  look(date: number): void {
    this.timers.advance(date);
    if (this.due.length > 0) this.begin();
  }

  /** A schedule is to be armed anew: {@link armAll} does that. */
  disarm(job: RecurringJob): void {
    this.timers.cancel(job.timer);
    if (job.isBusy) return;
    job.isBusy = true;
    this.unarmed.push(job);
  }

  /** Arms the schedules that are to be: a slice of them now, the rest in the next turns. */
  armAll(): void {
    if (this.isWorking) return;
    const until = this.host.time.now + SLICE;
    while (this.unarmed.length > 0 && this.host.time.now < until) this.finish(this.unarmed.pop()!);
    if (this.unarmed.length > 0) this.begin();
  }

  /** Finds out when a schedule is due next, and has it looked at then. */
  arm(job: RecurringJob): void {
    this.timers.cancel(job.timer);
    job.next = job.isPaused || job.isGone ? Infinity : nextTick(job.schedule, job.last, this.crons);
    if (job.next < Infinity) this.wakeFor(job, job.next);
  }

  /** A schedule is gone: nothing of it fires any more. */
  forget(job: RecurringJob): void {
    job.isGone = true;
    this.timers.cancel(job.timer);
  }

  /** Passes over a tick: it is done, without a job. */
  async pass(job: RecurringJob, tick: number): Promise<'fired' | 'known'> {
    const outcome = await this.host.fire(job.id, tick);
    this.done(job, tick);
    return outcome;
  }

  /** A tick could not fire, or be passed over. */
  fail(job: RecurringJob, { message }: Error): void {
    if (job.isGone) return;
    // Some of the missed ticks may have fired.
    if (job.last >= job.next) this.arm(job);
    if (job.next < Infinity) this.wakeFor(job, retryAt(job.next, this.host.time.date));
    if (!this.host.isReady) return;
    job.count('failed');
    if (job.trouble === message) return;
    job.trouble = message;
    const name = fromByteString(job.id);
    this.host.log('error', `schedule ${name}: its tick could not fire, and is tried again: ${message}`, job.logFields);
  }

  /** Reads which tick was done last, perhaps by another job server of the fleet. Answers whether that is news. */
  refresh(job: RecurringJob): boolean {
    const last = lastTickIn(this.host.settings(), job.id);
    if (!last || last.tick < job.last) return false;
    job.handle = last.handle;
    if (last.tick === job.last) return false;
    job.last = last.tick;
    return true;
  }

  private wakeFor(job: RecurringJob, date: number): void {
    this.timers.cancel(job.timer);
    job.timer = this.timers.set(date, () => {
      // A busy schedule is armed again when it is no longer busy.
      if (job.isBusy) return;
      job.isBusy = true;
      this.due.push(job);
    });
    if (job.timer.index === 0) this.host.time.at(lookAgainFor(date, this.host.time));
  }

  private begin(): void {
    if (this.isWorking) return;
    this.isWorking = true;
    void this.work();
  }

  private async work(): Promise<void> {
    const { time } = this.host;
    let until = time.now + SLICE;
    for (;;) {
      const { due } = this;
      this.due = [];
      for (const job of due) {
        if (this.firing >= MAX_AT_ONCE) await new Promise<void>((resolve) => (this.landed = resolve));
        this.firing++;
        void this.attend(job).finally(() => this.land());
        if (time.now < until) continue;
        await nextTurn();
        until = time.now + SLICE;
      }
      this.timers.advance(time.date);
      if (this.due.length > 0) continue;
      const job = this.unarmed.pop();
      if (!job) {
        // In the same turn as the last look: whatever comes after it begins again.
        this.isWorking = false;
        return;
      }
      this.finish(job);
      if (time.now < until) continue;
      await nextTurn();
      until = time.now + SLICE;
    }
  }

  private land(): void {
    this.firing--;
    this.landed?.();
    this.landed = undefined;
  }

  /** A schedule is no longer busy. */
  private finish(job: RecurringJob): void {
    job.isBusy = false;
    this.arm(job);
  }

  private async attend(job: RecurringJob): Promise<void> {
    const { host } = this;
    try {
      const { fire, missed, until } = planTicks(job.schedule, job.next, host.time.date, this.crons);
      job.count('missed', missed);
      const about = { ...job.logFields, count: missed };
      if (missed > 0) host.log('warn', `schedule ${fromByteString(job.id)}: ${missed} ticks missed`, about);
      for (const tick of fire) if (!job.isGone && !job.isPaused) await this.fire(job, tick);
      if (until !== undefined && until > job.last && !job.isGone) await this.pass(job, until);
      job.trouble = undefined;
      this.unarmed.push(job);
      this.begin();
    } catch (error) {
      job.isBusy = false;
      this.fail(job, error as Error);
    }
  }

  private async fire(job: RecurringJob, tick: number): Promise<void> {
    const { host } = this;
    const { handle, schedule } = job;
    if (schedule.overlap === 'skip' && handle !== undefined && (await host.isQueued(handle))) {
      if ((await this.pass(job, tick)) === 'fired') job.count('skipped');
      return;
    }
    const outcome = await host.fire(job.id, tick, job.spec(tick));
    this.done(job, tick);
    if (outcome === 'known') return;
    job.count('fired');
    const late = host.time.date - tick;
    if (late < ON_TIME) this.lag.add(late);
  }

  private done(job: RecurringJob, tick: number): void {
    job.last = Math.max(job.last, tick);
    this.refresh(job);
  }
}

/** When a tick that could not fire is tried again: in its first ten seconds every second, then ever more rarely. */
function retryAt(tick: number, date: number): number {
  const rest = (date - tick) / 10;
  return date + Math.min(Math.max(rest, RETRY_SOONEST), RETRY_LATEST);
}
