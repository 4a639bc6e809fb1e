import { asciiJson } from './ascii-json.js';
import type { ByteString } from './byte-string.js';
import { readName, showId, showName, showWord } from './shown-text.js';

/*
 * The rows of admin lists. Each row's columns are defined once, for the job
 * server that writes them and the client that reads them. Tabs separate the
 * columns. The name is the first column; gearmand's names may contain tabs, so
 * a row is read from its end.
 */

/** The line that ends a list. */
export const LIST_END = '.';

/** A row that has a name and then only numbers. */
export interface NumberRow<Column extends string> {
  /** The row, with its end. */
  write(name: ByteString, numbers: Readonly<Record<Column, number>>): string;
  /** What a line says; undefined if it is no such row. */
  read(line: string): { readonly name: ByteString; readonly numbers: Record<Column, number> } | undefined;
}

function numberRow<Column extends string>(...columns: readonly Column[]): NumberRow<Column> {
  return {
    write: (name, numbers) => `${showName(name)}\t${columns.map((column) => numbers[column]).join('\t')}\n`,
    read: (line) => {
      const parts = line.split('\t');
      const values = parts.splice(-columns.length).map(Number);
      if (parts.length === 0 || values.some(Number.isNaN)) return undefined;
      const numbers = Object.fromEntries(columns.map((column, at) => [column, values[at]]));
      return { name: readName(parts.join('\t')), numbers: numbers as Record<Column, number> };
    },
  };
}

/** `status`. */
export const STATUS_ROW = numberRow('total', 'running', 'workers');

/** `prioritystatus`. */
export const PRIORITY_STATUS_ROW = numberRow('high', 'normal', 'low', 'workers');

/** `show functions`, an extension of ours: jobs of `high` to `low` could run now, `delayed` ones wait for their time; a limit of 0 means none. */
export const FUNCTION_ROW = numberRow(
  'total',
  'running',
  'high',
  'normal',
  'low',
  'delayed',
  'workers',
  'isPaused',
  'highLimit',
  'normalLimit',
  'lowLimit',
);

/** `show activity`, an extension of ours: two ages in milliseconds, and what was counted since the job server started. */
export const ACTIVITY_ROW = numberRow('oldestWaiting', 'longestRunning', 'submitted', 'completed', 'failed');

/** `show jobs`: for each handle how many workers were lost, whether the job is not to run any more, and whether it is a background job. */
export const JOB_ROW = numberRow('losses', 'isIgnored', 'isQueued');

/** The names of the priorities; a name's index is the priority's number. */
export const PRIORITY_NAMES = ['high', 'normal', 'low'] as const;

type PriorityName = (typeof PRIORITY_NAMES)[number];

/** A row of `show jobs of FUNCTION`, an extension of ours. */
export interface FunctionJobRow {
  readonly handle: ByteString;
  readonly isRunning: boolean;
  readonly priority: PriorityName;
  readonly isBackground: boolean;
  /** How long it has been running, or else how long it has been ready to run, in milliseconds. */
  readonly age: number;
  readonly losses: number;
  readonly attempts: number;
  readonly numerator: number;
  readonly denominator: number;
  /** What its worker calls itself; undefined if the job does not run or the worker has no name. */
  readonly worker: ByteString | undefined;
}

export function writeFunctionJobRow(row: FunctionJobRow): string {
  const { handle, isRunning, priority, isBackground, age, losses, attempts, numerator, denominator, worker } = row;
  const numbers = [age, losses, attempts, numerator, denominator];
  const columns = [showName(handle), Number(isRunning), priority, Number(isBackground), ...numbers];
  return `${columns.join('\t')}\t${showName(worker ?? '-')}\n`;
}

const FUNCTION_JOB = /^([^\t]*)\t([01])\t(high|normal|low)\t([01])\t((?:[\d.e+-]+\t){5})([^\t]*)/;

/** What such a row says; a newer job server may write further columns behind. */
export function readFunctionJobRow(line: string): FunctionJobRow | undefined {
  const [, handle, running, priority, background, numbers, worker] = FUNCTION_JOB.exec(line) ?? [];
  if (handle === undefined) return undefined;
  const [age, losses, attempts, numerator, denominator] = numbers!.split('\t').map(Number);
  return {
    handle: readName(handle),
    isRunning: running === '1',
    priority: priority as PriorityName,
    isBackground: background === '1',
    age: age!,
    losses: losses!,
    attempts: attempts!,
    numerator: numerator!,
    denominator: denominator!,
    worker: worker === '-' ? undefined : readName(worker!),
  };
}

/** A row of `show dead jobs`, an extension of ours. */
export interface DeadJobRow {
  readonly handle: ByteString;
  readonly function: ByteString;
  readonly attempts: number;
  readonly losses: number;
  /** When the job server gave it up, in milliseconds since 1970. */
  readonly diedAt: number;
  /** Why it failed the last time. The row has it encoded as a URL component. */
  readonly error: string;
}

export function writeDeadJobRow(row: DeadJobRow): string {
  return `${deadJobColumns(row)}\n`;
}

function deadJobColumns({ handle, function: name, attempts, losses, diedAt, error }: DeadJobRow): string {
  return [showName(handle), showName(name), attempts, losses, diedAt, encodeURIComponent(error)].join('\t');
}

const DEAD_JOB = /^([^\t]*)\t(.*)\t(\d+)\t(\d+)\t(\d+)\t([^\t]*)$/;

export function readDeadJobRow(line: string): DeadJobRow | undefined {
  const [, handle, name, attempts, losses, diedAt, encoded] = DEAD_JOB.exec(line) ?? [];
  const error = encoded === undefined ? undefined : readable(() => decodeURIComponent(encoded));
  if (handle === undefined || error === undefined) return undefined;
  return {
    handle: readName(handle),
    function: readName(name!),
    attempts: Number(attempts),
    losses: Number(losses),
    diedAt: Number(diedAt),
    error,
  };
}

/** The answer to `show dead job HANDLE`: the row of the dead job, then columns about the job itself. */
export interface DeadJobDetailsRow extends DeadJobRow {
  readonly unique: ByteString;
  readonly priority: PriorityName;
  /** How many bytes its workload has. */
  readonly workloadBytes: number;
  /** The first bytes of its workload. */
  readonly beginning: ByteString;
}

export function writeDeadJobDetailsRow(row: DeadJobDetailsRow): string {
  const { unique, priority, workloadBytes, beginning } = row;
  return `${[deadJobColumns(row), showName(unique), priority, workloadBytes, showName(beginning)].join('\t')}\n`;
}

const DEAD_JOB_DETAILS = /^(.*)\t([^\t]*)\t(high|normal|low)\t(\d+)\t([^\t]*)$/;

export function readDeadJobDetailsRow(line: string): DeadJobDetailsRow | undefined {
  const [, first, unique, priority, workloadBytes, beginning] = DEAD_JOB_DETAILS.exec(line) ?? [];
  const row = first === undefined ? undefined : readDeadJobRow(first);
  if (!row) return undefined;
  return {
    ...row,
    unique: readName(unique!),
    priority: priority as PriorityName,
    workloadBytes: Number(workloadBytes),
    beginning: readName(beginning!),
  };
}

/** A row of `workers`: one connection. Clients are listed too, without functions. */
export interface WorkerRow {
  /** The number that the job server gave to the connection. */
  readonly number: number;
  readonly address: string;
  /** What it calls itself; undefined if it did not say. */
  readonly clientId: ByteString | undefined;
}

/** Yields the row in pieces, because one worker may have 100,000 functions. */
export function* writeWorkerRow(
  { number, address, clientId = '-' }: WorkerRow,
  functions: Iterable<{ readonly name: ByteString }>,
): Iterable<string> {
  yield `${number} ${showWord(address)} ${showId(clientId)} :`;
  for (const { name } of functions) yield ` ${showWord(name)}`;
  yield '\n';
}

export function readWorkerRow(line: string): (WorkerRow & { readonly functions: ByteString[] }) | undefined {
  const [, number, address, clientId, functions] = /^(\S+) (\S*) (.*?) :(.*)$/.exec(line) ?? [];
  if (number === undefined) return undefined;
  return {
    number: Number(number),
    address: readName(address!),
    clientId: clientId === '-' || clientId === '' ? undefined : readName(clientId!),
    functions: functions!
      .split(' ')
      .filter((name) => name !== '')
      .map(readName),
  };
}

/** A row of `show schedules`, an extension of ours: the id, a tab, and the rest as JSON in ASCII. Times are milliseconds since 1970. */
export interface ScheduleRow<Options extends { readonly function: string } = { readonly function: string }> {
  readonly id: ByteString;
  readonly source: 'options' | 'decorator' | 'crontab' | 'put';
  /** The last tick that fired or was passed over, or else when the schedule began; null if no tick of it is known. */
  readonly lastTick: number | null;
  /** Left out if no tick will come. */
  readonly nextTick?: number | undefined;
  readonly isPaused: boolean;
  /** Left out if nothing is wrong. */
  readonly problem?: string | undefined;
  /** The schedule's options as they were given, with the defaults filled in. */
  readonly options: Options;
}

export function writeScheduleRow({ id, ...state }: ScheduleRow): string {
  return `${showWord(id)}\t${asciiJson(state)}\n`;
}

export function readScheduleRow<Options extends { readonly function: string }>(
  line: string,
): ScheduleRow<Options> | undefined {
  const [, id, json] = /^([^\t]*)\t(.*)$/.exec(line) ?? [];
  const row = readable(() => JSON.parse(json!) as Omit<ScheduleRow<Options>, 'id'> | null);
  return id === undefined || typeof row !== 'object' || row === null ? undefined : { ...row, id: readName(id) };
}

/** What `read` returns; undefined if it throws, because a line that cannot be decoded is no row. */
function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
