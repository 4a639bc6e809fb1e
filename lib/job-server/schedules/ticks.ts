import { createHash } from 'node:crypto';
import { CronTable } from './cron.js';
import type { Schedule } from './schedule.js';

/** How late a tick may be and still be on time, in milliseconds: the event loop, or the disk, was busy. */
export const ON_TIME = 10_000;
/** How many missed ticks fire with `missed: 'all'` at once. */
export const MAX_MISSED = 1_000;
/** How many ticks of a gap are counted as missed at least where only the latest may fire. */
const MAX_COUNTED = 60;

/** What is to be done about a schedule now. */
export interface Plan {
  /** These ticks fire, in this order. */
  readonly fire: readonly number[];
  /** So many were missed, and do not fire. */
  readonly missed: number;
  /** The latest tick that is dealt with, once those fired; undefined: nothing was due. */
  readonly until: number | undefined;
}

const NOTHING: Plan = { fire: [], missed: 0, until: undefined };

/** The first tick after a moment, in milliseconds since 1970; Infinity: none any more. */
export function nextTick(schedule: Schedule, after: number, crons: CronTable): number {
  const { cron, every, startAt, endAt, timeZone } = schedule;
  const from = Math.max(after, startAt - 1);
  const next =
    cron === undefined
      ? startAt + (Math.floor((from - startAt) / every!) + 1) * every!
      : crons.next({ cron, timeZone }, from);
  return next > endAt ? Infinity : next;
}

/** What is due of a schedule whose next tick is `first`. */
export function planTicks(schedule: Schedule, first: number, now: number, crons: CronTable): Plan {
  if (first > now) return NOTHING;
  const limit = schedule.missed === 'all' ? MAX_MISSED : MAX_COUNTED;
  const gap = shortestGap(schedule);
  const due: number[] = [];
  let tick = first;
  while (tick <= now && due.length < limit) {
    due.push(tick);
    // Mostly it is the only one, and the pattern need not be asked before it fires.
    tick = now - tick < gap ? Infinity : nextTick(schedule, tick, crons);
  }
  let uncounted = 0;
  if (tick <= now) {
    const latest = latestTick(schedule, tick, now, crons);
    // It is not worth counting how many ticks a pattern has in a long time.
    uncounted = schedule.every === undefined ? 1 : Math.round((latest - tick) / schedule.every);
    // The latest may be on time: it fires by itself, at the next look.
    if (schedule.missed === 'all' && isOnTime(latest, now)) return { fire: due, missed: uncounted, until: latest - 1 };
    if (schedule.missed === 'all') return { fire: due, missed: uncounted + 1, until: latest };
    due.push(latest);
  }
  if (schedule.missed === 'all') return { fire: due, missed: 0, until: due.at(-1) };
  const latest = due.at(-1)!;
  const { missed, missedWithin } = schedule;
  const fires = isOnTime(latest, now) || (missed === 'once' && now - latest <= missedWithin);
  return { fire: fires ? [latest] : [], missed: uncounted + due.length - (fires ? 1 : 0), until: latest };
}

/** Two ticks are at least so far apart, in milliseconds. */
function shortestGap({ cron, every }: Schedule): number {
  if (cron === undefined) return every!;
  return cron.split(/\s+/).length === 5 ? 60_000 : 1_000;
}

function isOnTime(tick: number, now: number): boolean {
  return now - tick < ON_TIME;
}

/** The latest tick that is due, long after `tick`, which is due as well. */
function latestTick(schedule: Schedule, tick: number, now: number, crons: CronTable): number {
  const { cron, every, startAt, endAt, timeZone } = schedule;
  const until = Math.min(now, endAt);
  if (cron === undefined) return startAt + Math.floor((until - startAt) / every!) * every!;
  let latest = tick;
  // Searching back, croner only says where to begin: ticks are what it finds searching forward.
  const near = crons.last({ cron, timeZone }, until) - 1;
  let next = nextTick(schedule, Math.max(near, tick), crons);
  if (next > now) next = nextTick(schedule, tick, crons);
  for (; next <= now; next = nextTick(schedule, next, crons)) latest = next;
  return latest;
}

/** The unique of a tick's job, from which any worker knows its tick: `ID@seconds since 1970`. */
export function tickUnique(id: string, tick: number): string {
  return `${id}@${Math.floor(tick / 1_000)}`;
}

/** How much later the job of a tick may run: the same for every job server that looks. */
export function jitterOf({ id, jitter }: Schedule, tick: number): number {
  if (jitter === 0) return 0;
  const hash = createHash('sha256').update(`${id}@${tick}`, 'latin1').digest();
  return Math.floor((hash.readUInt32BE(0) / 2 ** 32) * (jitter + 1));
}

/** The next ticks after a moment, as many as there are, for people. */
export function nextTicks(schedule: Schedule, after: number, count: number, crons = new CronTable()): Date[] {
  const ticks: Date[] = [];
  for (let tick = after; ticks.length < count;) {
    tick = nextTick(schedule, tick, crons);
    if (tick === Infinity) break;
    ticks.push(new Date(tick));
  }
  return ticks;
}
