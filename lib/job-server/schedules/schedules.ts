import { InvalidOptionError } from '../../ground/index.js';
import { fromByteString, toByteString } from '../../protocol/index.js';
import type { Log2Histogram } from '../../telemetry/metrics/index.js';
import { lookAgainFor, type Moment } from '../engine/index.js';
import { idsOfTicks, lastTickIn, tickName } from '../storage/index.js';
import { CronTable } from './cron.js';
import { Firing } from './firing.js';
import { KeptSchedules, readKept } from './kept-schedules.js';
import { RecurringJob, type ScheduleSnapshot, type ScheduleSource } from './recurring-job.js';
import type { Schedule, ScheduleOptions, ScheduleTable } from './schedule.js';
import type { ScheduleHost } from './schedule-host.js';
import { readSchedule, writtenSchedule } from './schedule-rules.js';

/** How many schedules there may be. */
export const MAX_SCHEDULES = 10_000;
/** How often what other job servers put is looked for, in milliseconds. */
const REREAD_INTERVAL = 5_000;
/** How long after the start everybody who declares schedules has done so, in milliseconds. */
const SETTLING = 60_000;
/**
 * How old the last tick of a schedule that is not known here must be to be forgotten, in
 * milliseconds: another job server of the fleet may know it.
 */
const FORGET_AFTER = 40 * 24 * 3_600_000;

/**
 * The recurring jobs of a job server.
 *
 *   declared, put --> waiting --tick--> firing --> waiting
 *                        ^                |
 *                        +---- failed: seconds later
 *
 * What was fired last is kept with the jobs, so that no tick fires twice,
 * whatever dies, and whichever job server of a fleet is the first. Reads no
 * clock of its own: `tick` is told the time.
 */
export class Schedules {
  private readonly jobs = new Map<string, RecurringJob>();
  private readonly crons = new CronTable();
  private readonly kept: KeptSchedules;
  private readonly firing: Firing;
  private rereadAt = Infinity;
  private tidyAt = Infinity;
  private isTold = false;

  /** @internal */
  constructor(private readonly host: ScheduleHost) {
    this.kept = new KeptSchedules(host);
    this.firing = new Firing(host, this.crons);
  }

  /**
   * How late ticks fired that were not missed, in milliseconds.
   * @internal
   */
  get lag(): Log2Histogram {
    return this.firing.lag;
  }

  /** How many there are. */
  get size(): number {
    return this.jobs.size;
  }

  /**
   * All of them, to be measured.
   * @internal
   */
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
   * @throws InvalidOptionError for the first that is not allowed; then nothing changes.
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
        const id = fromByteString(schedule.id);
        const about = { schedule: id, function: fromByteString(schedule.function) };
        this.host.log('warn', `schedule ${id}: was put, and is declared by ${source} now`, about);
      }
      const isPaused = this.kept.of(schedule.id)?.paused ?? schedule.isPaused;
      this.change(new RecurringJob(source, schedule, isPaused));
    }
    this.firing.armAll();
    this.arm();
  }

  /**
   * Puts a schedule, in the place of the one that was put before. It stays until
   * it is dropped, with a storage over restarts as well.
   *
   * @throws InvalidOptionError for one that is not allowed, or is declared elsewhere.
   */
  put(id: string, options: ScheduleOptions): void {
    const { date } = this.host.time;
    const schedule = readSchedule(id, options, date, this.crons);
    const before = this.jobs.get(schedule.id);
    if (before && before.source !== 'put') throw declaredElsewhere(before);
    if (!before && this.jobs.size >= MAX_SCHEDULES) {
      throw new InvalidOptionError('schedules', `must be at most ${MAX_SCHEDULES} schedules`);
    }
    const keptAs = this.kept.keep(schedule.id, { put: writtenSchedule(schedule) });
    this.change(new RecurringJob('put', schedule, schedule.isPaused, keptAs));
    this.firing.armAll();
    this.arm();
  }

  /** Drops one that was put; false when there is none. @throws InvalidOptionError for one that is declared elsewhere. */
  drop(id: string): boolean {
    const job = this.jobs.get(toByteString(id));
    if (!job) return false;
    if (job.source !== 'put') throw declaredElsewhere(job);
    this.kept.keep(job.id, {});
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
    return this.host.submit({ ...job.spec(this.host.time.date), at: 0 });
  }

  /** Jobs can be accepted from now on: reads what was put before, and which ticks have fired. */
  restart(): void {
    const { now } = this.host.time;
    this.readKept();
    for (const job of this.jobs.values()) this.begin(job);
    this.firing.armAll();
    this.rereadAt = this.host.isShared ? now + REREAD_INTERVAL : Infinity;
    this.tidyAt = now + SETTLING;
    if (this.jobs.size > 0) this.tellWhereKept();
    this.arm();
  }

  /**
   * Another job server of the storage has set something: it is read anew.
   * @internal
   */
  heard(): void {
    if (this.rereadAt === Infinity) return;
    this.rereadAt = this.host.time.now;
    this.arm();
  }

  /**
   * Fires what is due.
   * @internal
   */
  tick(moment: Moment): void {
    if (!this.host.isReady) return;
    if (moment.now >= this.rereadAt) this.reread(moment.now);
    if (moment.now >= this.tidyAt) this.tidy(moment.date);
    if (moment.date >= this.firing.nextDue) this.firing.look(moment.date);
    this.arm();
  }

  // --- who there is ---

  /** Puts a schedule in its place, with the ticks that were done before. */
  private begin(job: RecurringJob): void {
    const { host, jobs, firing } = this;
    const { date } = host.time;
    const before = jobs.get(job.id);
    if (before && before !== job) {
      firing.forget(before);
      Object.assign(job, { last: before.last, handle: before.handle });
    }
    jobs.set(job.id, job);
    if (!host.isReady) return;
    this.tellWhereKept();
    firing.refresh(job);
    if (job.last === -Infinity) {
      // From here on its ticks may be missed.
      job.last = date;
      void firing.pass(job, date).catch((error: Error) => firing.fail(job, error));
    }
    firing.disarm(job);
  }

  /** Begins with a schedule that somebody has written anew: where its rhythm is another one, it has missed nothing. */
  private change(job: RecurringJob): void {
    const before = this.jobs.get(job.id);
    this.begin(job);
    if (before && !hasSameRhythm(before.schedule, job.schedule)) this.passOver(job);
  }

  private forget(job: RecurringJob): void {
    this.firing.forget(job);
    this.jobs.delete(job.id);
  }

  private setPaused(id: string, isPaused: boolean): boolean {
    const job = this.jobs.get(toByteString(id));
    if (!job) return false;
    if (job.isPaused === isPaused) return true;
    const { schedule, source } = job;
    const isDeclaredSo = schedule.isPaused === isPaused;
    const paused = isDeclaredSo ? {} : { paused: isPaused };
    this.kept.keep(job.id, source === 'put' ? { put: { ...writtenSchedule(schedule), isPaused } } : paused);
    job.isPaused = isPaused;
    if (!isPaused) this.passOver(job);
    this.firing.arm(job);
    this.arm();
    return true;
  }

  /** Ticks that passed until now count as done, not as missed. */
  private passOver(job: RecurringJob): void {
    const { firing, host } = this;
    const { date } = host.time;
    if (job.last >= date) return;
    job.last = date;
    if (host.isReady) void firing.pass(job, date).catch((error: Error) => firing.fail(job, error));
  }

  // --- what is kept ---

  /** Reads what was put, and what another job server has put, paused or dropped since. */
  private readKept(): void {
    const { host, jobs, kept } = this;
    for (const job of [...jobs.values()]) {
      if (kept.has(job.id)) continue;
      if (job.source !== 'put') this.readPaused(job, undefined);
      else if (host.isKept) this.forget(job);
    }
    for (const { id, text } of kept.all()) {
      const before = jobs.get(id);
      if (before && before.source !== 'put') this.readPaused(before, text);
      else if (before?.keptAs !== text) this.readPut(id, text);
    }
  }

  private readPaused(job: RecurringJob, text: string | undefined): void {
    const isPaused = readKept(text)?.paused ?? job.schedule.isPaused;
    if (job.isPaused === isPaused) return;
    job.isPaused = isPaused;
    // The job server that resumed it wrote a last tick: what passed before was not missed.
    this.firing.refresh(job);
    this.firing.disarm(job);
  }

  private readPut(id: string, text: string): void {
    const put = readKept(text)?.put;
    if (!put) return;
    try {
      const schedule = readSchedule(fromByteString(id), put, this.host.time.date, this.crons);
      this.begin(new RecurringJob('put', schedule, schedule.isPaused, text));
    } catch (error) {
      const schedule = fromByteString(id);
      this.host.log('error', `schedule ${schedule} is left out: ${(error as Error).message}`, { schedule });
    }
  }

  private reread(now: number): void {
    this.rereadAt = now + REREAD_INTERVAL;
    this.readKept();
    for (const job of this.jobs.values()) {
      if (!job.isBusy && this.firing.refresh(job)) this.firing.disarm(job);
    }
    this.firing.armAll();
  }

  /** Forgets the last ticks of schedules that nobody declares any more. */
  private tidy(date: number): void {
    this.tidyAt = Infinity;
    const settings = this.host.settings();
    for (const id of [...idsOfTicks(settings)]) {
      const isOld = !this.host.isShared || date - lastTickIn(settings, id)!.tick > FORGET_AFTER;
      if (!this.jobs.has(id) && isOld) this.host.set(tickName(id), undefined);
    }
  }

  private tellWhereKept(): void {
    if (this.isTold || this.host.isKept) return;
    this.isTold = true;
    this.host.log('warn', 'schedules: without a storage nobody knows after a restart which ticks have fired');
  }

  /** Has `tick` called when something is due next. */
  private arm(): void {
    const { time } = this.host;
    const tidyAt = this.jobs.size > 0 ? this.tidyAt : Infinity;
    time.at(Math.min(lookAgainFor(this.firing.nextDue, time), this.rereadAt, tidyAt));
  }
}

function declaredElsewhere({ id, source }: RecurringJob): InvalidOptionError {
  return new InvalidOptionError(`schedules.${fromByteString(id)}`, `is declared by ${source}: change it there`);
}

function hasSameRhythm(one: Schedule, other: Schedule): boolean {
  if (one.cron !== undefined) return one.cron === other.cron && one.timeZone === other.timeZone;
  return one.every === other.every && one.startAt === other.startAt;
}
