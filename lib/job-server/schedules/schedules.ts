import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvalidOptionError } from '../../ground/index.js';
import { fromByteString, toByteString } from '../../protocol/index.js';
import { Log2Histogram } from '../../telemetry/metrics/index.js';
import { lookAgainFor, type Moment } from '../engine/index.js';
import { idsOfTicks, lastTickIn, tickName } from '../storage/index.js';
import { CronTable } from './cron.js';
import { RecurringJob, type ScheduleSnapshot, type ScheduleSource } from './recurring-job.js';
import type { ScheduleOptions, ScheduleTable } from './schedule.js';
import type { ScheduleHost } from './schedule-host.js';
import { readSchedule, writtenSchedule } from './schedule-rules.js';
import { nextTick, ON_TIME, planTicks } from './ticks.js';

/** How many schedules there may be. */
export const MAX_SCHEDULES = 10_000;
/** What the names of schedules that were put, or paused, begin with among the settings. */
const PREFIX = 'schedule:';
/** How long what fires holds up others, in milliseconds. */
const SLICE = 5;
/** How long what could not fire rests, in milliseconds. */
const RETRY_DELAY = 1_000;
/** How often what other job servers put is looked for, in milliseconds. */
const REREAD_INTERVAL = 5_000;
/** So long after the start, whoever declares schedules has done so. */
const SETTLING = 60_000;
/** How old the last tick of a schedule must be that only another job server of a fleet may know, to be forgotten. */
const FORGET_AFTER = 40 * 24 * 3_600_000;

/** What is kept of a schedule by its id. */
interface Kept {
  readonly put?: ScheduleOptions;
  readonly paused?: boolean;
}

/**
 * The recurring jobs of a job server.
 *
 *   declared, put --> waiting --tick--> firing --> waiting
 *                        ^                |
 *                        +---- failed: a second later
 *
 * What was fired last is kept with the jobs, so that no tick fires twice,
 * whatever dies, and whichever job server of a fleet is the first. Reads no
 * clock of its own: `tick` is told the time.
 */
export class Schedules {
  /** How late ticks fired that were not missed, in milliseconds. */
  readonly lag = new Log2Histogram();
  private readonly jobs = new Map<string, RecurringJob>();
  private readonly crons = new CronTable();
  private nextDue = Infinity;
  private due: RecurringJob[] = [];
  private isFiring = false;
  private rereadAt = Infinity;
  private tidyAt = Infinity;
  private isTold = false;

  constructor(private readonly host: ScheduleHost) {}

  /** How many there are. */
  get size(): number {
    return this.jobs.size;
  }

  /** All of them, to be measured. */
  get all(): Iterable<RecurringJob> {
    return this.jobs.values();
  }

  /** All of them, as an operator sees them, by their ids. */
  list(): ScheduleSnapshot[] {
    const { date } = this.host.time;
    const snapshots = [...this.jobs.values()].map((job) => job.snapshot(date));
    return snapshots.sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** One of them, or undefined when there is none. */
  find(id: string): ScheduleSnapshot | undefined {
    return this.jobs.get(toByteString(id))?.snapshot(this.host.time.date);
  }

  /**
   * Declares the schedules of a source: what it declared before and does not any
   * more is gone. A schedule that was put gives way to a declared one of its id.
   *
   * @throws InvalidOptionError for the first that cannot be meant; then nothing changes.
   */
  declare(source: Exclude<ScheduleSource, 'put'>, table: ScheduleTable): void {
    const { date } = this.host.time;
    const declared = Object.entries(table).map(([id, options]) => readSchedule(id, options, date, this.crons));
    for (const { id } of declared) {
      const other = this.jobs.get(id);
      if (other && other.source !== source && other.source !== 'put') {
        throw new InvalidOptionError(
          `schedules.${fromByteString(id)}`,
          `is declared twice: by ${other.source} and ${source}`,
        );
      }
    }
    const ids = new Set(declared.map(({ id }) => id));
    const others = [...this.jobs.values()].filter((job) => job.source !== source && !ids.has(job.id));
    if (others.length + ids.size > MAX_SCHEDULES) {
      throw new InvalidOptionError('schedules', `must be at most ${MAX_SCHEDULES} schedules`);
    }
    for (const job of [...this.jobs.values()]) if (job.source === source && !ids.has(job.id)) this.forget(job);
    for (const schedule of declared) {
      if (this.jobs.get(schedule.id)?.source === 'put') {
        this.host.log('warn', `schedule ${fromByteString(schedule.id)}: was put, and is declared by ${source} now`);
      }
      const isPaused = this.keptOf(schedule.id)?.paused ?? schedule.isPaused;
      this.begin(new RecurringJob(source, schedule, isPaused));
    }
    this.arm();
  }

  /**
   * Puts a schedule, in the place of the one that was put before. It stays until
   * it is dropped, with a storage over restarts as well.
   *
   * @throws InvalidOptionError for one that cannot be meant, or is declared elsewhere.
   */
  put(id: string, options: ScheduleOptions): void {
    const { date } = this.host.time;
    const schedule = readSchedule(id, options, date, this.crons);
    const before = this.jobs.get(schedule.id);
    if (before && before.source !== 'put') throw declaredElsewhere(before);
    if (!before && this.jobs.size >= MAX_SCHEDULES) {
      throw new InvalidOptionError('schedules', `must be at most ${MAX_SCHEDULES} schedules`);
    }
    this.keep(schedule.id, { put: writtenSchedule(schedule) });
    const { cron, every, timeZone } = before?.schedule ?? {};
    const isSame = cron === schedule.cron && every === schedule.every && timeZone === schedule.timeZone;
    const job = new RecurringJob('put', schedule, schedule.isPaused);
    this.begin(job);
    // With another rhythm it is a new one, and has missed nothing.
    if (before && !isSame) this.passOver(job);
    this.arm();
  }

  /** Drops one that was put; false when there is none. @throws InvalidOptionError for one that is declared elsewhere. */
  drop(id: string): boolean {
    const job = this.jobs.get(toByteString(id));
    if (!job) return false;
    if (job.source !== 'put') throw declaredElsewhere(job);
    this.keep(job.id, {});
    this.forget(job);
    this.host.set(tickName(job.id), undefined);
    return true;
  }

  /** Lets no tick fire until `resume`, also after a restart; false when there is no such schedule. */
  pause(id: string): boolean {
    return this.setPaused(id, true);
  }

  /** Lets ticks fire again; what passed meanwhile was not missed. False when there is no such schedule. */
  resume(id: string): boolean {
    return this.setPaused(id, false);
  }

  /** Submits its job now, beside all ticks, and answers with the handle; undefined when there is none. */
  async run(id: string): Promise<string | undefined> {
    const job = this.jobs.get(toByteString(id));
    if (!job) return undefined;
    return this.host.submit({ ...job.spec(this.host.time.date), runAt: 0 });
  }

  /** Jobs can be taken from now on: what was put before is here again, and what was fired is known. */
  restart(): void {
    const { now } = this.host.time;
    this.readKept();
    for (const job of this.jobs.values()) this.begin(job);
    this.rereadAt = this.host.isShared ? now + REREAD_INTERVAL : Infinity;
    this.tidyAt = now + SETTLING;
    if (this.jobs.size > 0) this.tellWhereKept();
    this.arm();
  }

  /** Fires what is due. */
  tick(moment: Moment): void {
    if (!this.host.isReady) return;
    if (moment.now >= this.rereadAt) this.reread(moment.now);
    if (moment.now >= this.tidyAt) this.tidy(moment.date);
    if (moment.date >= this.nextDue) this.look(moment.date);
    const { time } = this.host;
    time.at(Math.min(lookAgainFor(this.nextDue, moment), this.rereadAt, this.jobs.size > 0 ? this.tidyAt : Infinity));
  }

  // --- who there is ---

  /** A schedule has its place, and the ticks that were done before are. */
  private begin(job: RecurringJob): void {
    const { host, jobs } = this;
    const { date } = host.time;
    const before = jobs.get(job.id);
    if (before && before !== job) {
      before.isGone = true;
      Object.assign(job, { last: before.last, handle: before.handle });
    }
    jobs.set(job.id, job);
    if (!host.isReady) return;
    this.tellWhereKept();
    this.refresh(job);
    if (job.last === -Infinity) {
      // From here on its ticks may be missed.
      job.last = date;
      void host.fire(job.id, date).catch((error: Error) => this.fail(job, error));
    }
    this.rearm(job);
  }

  private forget(job: RecurringJob): void {
    job.isGone = true;
    this.jobs.delete(job.id);
  }

  private setPaused(id: string, isPaused: boolean): boolean {
    const job = this.jobs.get(toByteString(id));
    if (!job) return false;
    if (job.isPaused === isPaused) return true;
    const { schedule, source } = job;
    const put = source === 'put' ? { ...writtenSchedule(schedule), isPaused } : undefined;
    const isDeclaredSo = schedule.isPaused === isPaused;
    this.keep(job.id, put ? { put } : isDeclaredSo ? {} : { paused: isPaused });
    job.isPaused = isPaused;
    if (!isPaused) this.passOver(job);
    this.rearm(job);
    this.arm();
    return true;
  }

  /** What passed until now was not missed. */
  private passOver(job: RecurringJob): void {
    const { date } = this.host.time;
    if (job.last >= date) return;
    job.last = date;
    if (this.host.isReady) void this.host.fire(job.id, date).catch((error: Error) => this.fail(job, error));
    this.rearm(job);
  }

  // --- what is kept ---

  private keep(id: string, kept: Kept): void {
    const isAny = kept.put !== undefined || kept.paused !== undefined;
    if (!isAny && !this.host.settings().has(PREFIX + id)) return;
    this.host.set(PREFIX + id, isAny ? JSON.stringify(kept) : undefined);
  }

  private keptOf(id: string): Kept | undefined {
    const value = this.host.settings().get(PREFIX + id);
    if (value === undefined) return undefined;
    try {
      return JSON.parse(value) as Kept;
    } catch {
      return undefined;
    }
  }

  /** Takes in what was put, and what another job server put, paused or dropped since. */
  private readKept(): void {
    const { host, jobs } = this;
    const settings = host.settings();
    for (const job of [...jobs.values()]) {
      if (job.source === 'put' && host.isKept && !settings.has(PREFIX + job.id)) this.forget(job);
    }
    for (const [name, value] of [...settings]) {
      if (!name.startsWith(PREFIX)) continue;
      const id = name.slice(PREFIX.length);
      const before = jobs.get(id);
      if (before && before.source !== 'put') before.isPaused = this.keptOf(id)?.paused ?? before.schedule.isPaused;
      else this.readPut(id, value, before);
    }
  }

  private readPut(id: string, value: string, before: RecurringJob | undefined): void {
    const put = this.keptOf(id)?.put;
    if (!put) return;
    try {
      if (before && JSON.stringify({ put: writtenSchedule(before.schedule) }) === value) return;
      const schedule = readSchedule(fromByteString(id), put, this.host.time.date, this.crons);
      this.begin(new RecurringJob('put', schedule, schedule.isPaused));
    } catch (error) {
      this.host.log('error', `schedule ${fromByteString(id)} is left out: ${(error as Error).message}`);
    }
  }

  private reread(now: number): void {
    this.rereadAt = now + REREAD_INTERVAL;
    this.readKept();
    for (const job of this.jobs.values()) {
      if (job.isBusy) continue;
      this.refresh(job);
      this.rearm(job);
    }
    this.nextDue = this.earliest();
  }

  /** Forgets the last ticks of schedules that nobody declares any more. */
  private tidy(date: number): void {
    this.tidyAt = Infinity;
    const settings = this.host.settings();
    for (const id of [...idsOfTicks(settings)]) {
      const isOld = !this.host.isShared || date - lastTickIn(settings, id)!.tick > FORGET_AFTER;
      if (!this.jobs.has(id) && isOld) this.host.set(tickName(id), undefined);
    }
    if ([...this.jobs.values()].every(({ isBusy }) => !isBusy)) this.crons.clear();
  }

  private tellWhereKept(): void {
    if (this.isTold || this.host.isKept) return;
    this.isTold = true;
    this.host.log('warn', 'schedules: without a storage nobody knows after a restart which ticks have fired');
  }

  // --- firing ---

  private look(date: number): void {
    for (const job of this.jobs.values()) {
      if (job.next > date || job.isBusy) continue;
      job.isBusy = true;
      this.due.push(job);
    }
    this.nextDue = this.earliest();
    if (!this.isFiring) void this.fireAll();
  }

  /** Fires what is due in turns; each goes its own way from there, so that one write has many. */
  private async fireAll(): Promise<void> {
    const { time } = this.host;
    this.isFiring = true;
    let until = time.now + SLICE;
    for (let job = this.due.shift(); job; job = this.due.shift()) {
      void this.attend(job);
      if (time.now < until) continue;
      await nextTurn();
      until = time.now + SLICE;
    }
    this.isFiring = false;
  }

  private async attend(job: RecurringJob): Promise<void> {
    const { host } = this;
    try {
      const { date } = host.time;
      const { fire, missed, until } = planTicks(job.schedule, job.last, date, this.crons);
      job.count('missed', missed);
      if (missed > 0) host.log('warn', `schedule ${fromByteString(job.id)}: ${missed} ticks missed`);
      for (const tick of fire) if (!job.isGone && !job.isPaused) await this.fire(job, tick);
      if (until !== undefined && until > job.last && !job.isGone) await this.pass(job, until);
      job.trouble = undefined;
      this.rearm(job);
    } catch (error) {
      this.fail(job, error as Error);
    } finally {
      job.isBusy = false;
      if (!job.isGone) this.arm(job.next);
    }
  }

  private async fire(job: RecurringJob, tick: number): Promise<void> {
    const { host } = this;
    const { handle, schedule } = job;
    if (schedule.overlap === 'skip' && handle !== undefined && (await host.isQueued(handle))) {
      const outcome = await this.pass(job, tick);
      if (outcome === 'fired') job.count('skipped');
      return;
    }
    const outcome = await host.fire(job.id, tick, job.spec(tick));
    this.done(job, tick);
    if (outcome === 'known') return;
    job.count('fired');
    const late = host.time.date - tick;
    if (late < ON_TIME) this.lag.add(late);
  }

  private async pass(job: RecurringJob, tick: number): Promise<'fired' | 'known'> {
    const outcome = await this.host.fire(job.id, tick);
    this.done(job, tick);
    return outcome;
  }

  private done(job: RecurringJob, tick: number): void {
    job.last = Math.max(job.last, tick);
    this.refresh(job);
  }

  /** A job server of the fleet may have fired since. */
  private refresh(job: RecurringJob): void {
    const last = lastTickIn(this.host.settings(), job.id);
    if (!last || last.tick < job.last) return;
    job.last = last.tick;
    job.handle = last.handle;
  }

  private fail(job: RecurringJob, { message }: Error): void {
    if (job.isGone) return;
    job.next = this.host.time.date + RETRY_DELAY;
    if (!this.host.isReady) return;
    job.count('failed');
    if (job.trouble === message) return;
    job.trouble = message;
    this.host.log(
      'error',
      `schedule ${fromByteString(job.id)}: its tick could not fire, and is tried again: ${message}`,
    );
  }

  private rearm(job: RecurringJob): void {
    job.next = job.isPaused ? Infinity : nextTick(job.schedule, job.last, this.crons);
  }

  /** Has `tick` called in time for what is due then. */
  private arm(next = this.earliest()): void {
    const { time } = this.host;
    this.nextDue = Math.min(this.nextDue, next);
    time.at(Math.min(lookAgainFor(this.nextDue, time), this.tidyAt));
  }

  private earliest(): number {
    let earliest = Infinity;
    for (const { next, isBusy } of this.jobs.values()) if (!isBusy && next < earliest) earliest = next;
    return earliest;
  }
}

function declaredElsewhere({ id, source }: RecurringJob): InvalidOptionError {
  return new InvalidOptionError(`schedules.${fromByteString(id)}`, `is declared by ${source}: change it there`);
}
