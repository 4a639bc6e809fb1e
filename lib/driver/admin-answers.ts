import { GearmanError } from '../ground/index.js';
import type { JobPriority } from './job-request.js';
import {
  ACTIVITY_ROW,
  exactText,
  FUNCTION_ROW,
  JOB_ROW,
  PRIORITY_STATUS_ROW,
  readDeadJobDetailsRow,
  readDeadJobRow,
  readFunctionJobRow,
  readName,
  readScheduleRow,
  readWorkerRow,
  STATUS_ROW,
  type ByteString,
  type DeadJobRow,
} from '../protocol/index.js';

/** One function, as `status` tells it. */
export interface FunctionStatus {
  function: string;
  /** Jobs waiting and running. */
  total: number;
  running: number;
  /** Connections that can do it. */
  workers: number;
}

/** How many jobs of a function wait, by priority, as `prioritystatus` tells it. */
export interface FunctionPriorities {
  function: string;
  high: number;
  normal: number;
  low: number;
  workers: number;
}

/** One function, as `show functions` of our job server tells it; from other job servers, what `status` and `prioritystatus` tell. */
export interface FunctionOverview {
  function: string;
  /** All its jobs: waiting, delayed and running. */
  total: number;
  running: number;
  /** Jobs that wait for a worker, by priority; other job servers include the delayed ones. */
  high: number;
  normal: number;
  low: number;
  /** Jobs that wait for their time; undefined if the job server does not tell. */
  delayed: number | undefined;
  workers: number;
  /** Whether the function is paused; undefined if the job server does not tell. */
  isPaused: boolean | undefined;
  /** How many jobs may be there before a submission is refused, by priority; 0: no limit. Undefined if the job server does not tell. */
  limits: { high: number; normal: number; low: number } | undefined;
}

/** What goes on in one function, as `show activity` of our job server tells it. */
export interface FunctionActivity {
  function: string;
  /** How long ago the oldest waiting job became ready to run, in milliseconds; 0 if none waits. */
  oldestWaiting: number;
  /** How long the job that started first has been running, in milliseconds; 0 if none runs. */
  longestRunning: number;
  /** Jobs that were submitted since the job server started; those that joined a waiting job do not count. */
  submitted: number;
  /** Jobs that succeeded since then. */
  completed: number;
  /** Jobs that failed for good since then. */
  failed: number;
}

/** One job of a function, as `show jobs of FUNCTION` of our job server tells it. */
export interface FunctionJob {
  handle: string;
  isRunning: boolean;
  priority: JobPriority;
  isBackground: boolean;
  /** How long it has been running, or else how long it has been ready to run, in milliseconds. */
  age: number;
  /** How often its worker was lost. */
  losses: number;
  /** How often it was tried again. */
  attempts: number;
  /** Progress as the worker last reported it. */
  numerator: number;
  denominator: number;
  /** What its worker calls itself; undefined if the worker has no name or the job does not run. */
  worker: string | undefined;
}

/** One connection, as `workers` tells it; clients are listed too, without functions. */
export interface WorkerStatus {
  /** The number that the job server gave to the connection. */
  descriptor: number;
  address: string;
  /** What it called itself; undefined if it did not say. */
  clientId: string | undefined;
  functions: string[];
}

/** One job, as `show jobs` tells it. */
export interface ShownJob {
  handle: string;
  /** How often its worker was lost. */
  retries: number;
  /** True when nobody waits for it any more: it will not run. */
  isIgnored: boolean;
  isQueued: boolean;
}

/** One dead letter: a background job that failed for good, as `show dead jobs` tells it. */
export interface DeadJob {
  handle: string;
  function: string;
  /** How often it was tried again. */
  attempts: number;
  /** How often its worker was lost. */
  losses: number;
  /** Why it failed the last time. */
  error: string;
  /** When it was given up. */
  diedAt: Date;
}

/**
 * The name that an answer shows. Our job server escapes control characters;
 * gearmand shows bytes as they are, and they hardly ever look like an escape.
 * A byte that is no UTF-8 becomes a lone surrogate: see `exactText`.
 */
export function nameFrom(shown: ByteString): string {
  return exactText(readName(shown));
}

/** A dead letter with its job, as `show dead job HANDLE` tells it. */
export interface DeadJobDetails extends DeadJob {
  unique: string;
  priority: JobPriority;
  /** How many bytes its workload has. */
  workloadBytes: number;
  /** The beginning of it, at most 4,096 bytes. */
  workload: Buffer;
}

/** A recurring job, as `show schedules` tells it. */
export interface ScheduleStatus {
  id: string;
  /** Where it was declared; `put`: by an admin client. */
  source: 'options' | 'decorator' | 'crontab' | 'put';
  /** The last tick that fired or was passed over, or else when the schedule began. */
  lastTick: Date;
  /** The next tick; undefined if the schedule is paused or over. */
  nextTick: Date | undefined;
  isPaused: boolean;
  /** What is wrong with it; undefined if nothing is. */
  problem: string | undefined;
  /** Its options as they were given, with the defaults filled in. */
  options: { function: string; cron?: string; timeZone?: string; every?: number; [field: string]: unknown };
}

/** Reads a line of `show schedules`. */
export function readScheduleStatus(line: string): ScheduleStatus {
  const { id, lastTick, nextTick, problem, ...rest } =
    readScheduleRow<ScheduleStatus['options']>(line) ?? unreadable(line);
  return {
    ...rest,
    id: exactText(id),
    lastTick: new Date(lastTick ?? 0),
    nextTick: nextTick === undefined ? undefined : new Date(nextTick),
    problem,
  };
}

/** Reads a line of `status`. */
export function readFunctionStatus(line: string): FunctionStatus {
  const { name, numbers } = STATUS_ROW.read(line) ?? unreadable(line);
  return { function: exactText(name), ...numbers };
}

/** Reads a line of `prioritystatus`. */
export function readFunctionPriorities(line: string): FunctionPriorities {
  const { name, numbers } = PRIORITY_STATUS_ROW.read(line) ?? unreadable(line);
  return { function: exactText(name), ...numbers };
}

/** Reads a line of `show functions`. */
export function readFunctionOverview(line: string): FunctionOverview {
  const { name, numbers } = FUNCTION_ROW.read(line) ?? unreadable(line);
  const { isPaused, highLimit, normalLimit, lowLimit, ...counts } = numbers;
  const limits = { high: highLimit, normal: normalLimit, low: lowLimit };
  return { function: exactText(name), ...counts, isPaused: isPaused === 1, limits };
}

/** Reads a line of `show activity`. */
export function readFunctionActivity(line: string): FunctionActivity {
  const { name, numbers } = ACTIVITY_ROW.read(line) ?? unreadable(line);
  return { function: exactText(name), ...numbers };
}

/** Reads a line of `show jobs of FUNCTION`; a newer job server may write further columns behind. */
export function readFunctionJob(line: string): FunctionJob {
  const row = readFunctionJobRow(line) ?? unreadable(line);
  return { ...row, handle: exactText(row.handle), worker: row.worker && exactText(row.worker) };
}

/** Makes an overview of what `status` and `prioritystatus` tell of one function. */
export function functionOverview(status: FunctionStatus, priorities: FunctionPriorities | undefined): FunctionOverview {
  const { high, normal, low } = priorities ?? { high: 0, normal: 0, low: 0 };
  return { ...status, high, normal, low, delayed: undefined, isPaused: undefined, limits: undefined };
}

/** Reads a line of `workers`. */
export function readWorkerStatus(line: string): WorkerStatus {
  const { number, address, clientId, functions } = readWorkerRow(line) ?? unreadable(line);
  return {
    descriptor: number,
    address,
    clientId: clientId === undefined ? undefined : exactText(clientId),
    functions: functions.map(exactText),
  };
}

/** Reads a line of `show jobs`. */
export function readShownJob(line: string): ShownJob {
  const { name, numbers } = JOB_ROW.read(line) ?? unreadable(line);
  const { losses, isIgnored, isQueued } = numbers;
  return { handle: exactText(name), retries: losses, isIgnored: isIgnored === 1, isQueued: isQueued === 1 };
}

/** Reads the answer to `show dead job HANDLE`. */
export function readDeadJobDetails(line: string): DeadJobDetails {
  const row = readDeadJobDetailsRow(line) ?? unreadable(line);
  const { unique, priority, workloadBytes, beginning } = row;
  const workload = Buffer.from(beginning, 'latin1');
  return { ...deadJobOf(row), unique: exactText(unique), priority, workloadBytes, workload };
}

/** Reads a line of `show dead jobs`. */
export function readDeadJob(line: string): DeadJob {
  return deadJobOf(readDeadJobRow(line) ?? unreadable(line));
}

function deadJobOf({ handle, function: name, attempts, losses, diedAt, error }: DeadJobRow): DeadJob {
  return { handle: exactText(handle), function: exactText(name), attempts, losses, error, diedAt: new Date(diedAt) };
}

function unreadable(line: string): never {
  throw new GearmanError('GEARMAN_PROTOCOL_ERROR', `an admin answer cannot be read: ${line.slice(0, 200)}`);
}
