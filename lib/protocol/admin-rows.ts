import { asciiJson } from './ascii-json.js';
import type { ByteString } from './byte-string.js';
import { readName, showId, showName, showWord } from './shown-text.js';

/*
 * The rows of admin lists: each row's columns stand here once, for the job
 * server that writes them and the client that reads them. Columns are parted by
 * tabs. A name stands first; gearmand's names may contain tabs, so rows are read
 * from their end.
 */

/** The line that ends a list. */
export const LIST_END = '.';

/** A row of a name and numbers. */
export interface NumberRow<Column extends string> {
  /** The row, with its end. */
  write(name: ByteString, numbers: Readonly<Record<Column, number>>): string;
  /** What a row says; undefined for what is none. */
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

/** `show functions`, an extension of ours: `high` to `low` could be taken now, `delayed` wait for their time; limits of 0 are none. */
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

/** `show activity`, an extension of ours: two times in milliseconds, and what was counted since the job server began. */
export const ACTIVITY_ROW = numberRow('oldestWaiting', 'longestRunning', 'submitted', 'completed', 'failed');

/** `show jobs`: by handle how many workers were lost, whether it is not to run any more, whether it is a background job. */
export const JOB_ROW = numberRow('losses', 'isIgnored', 'isQueued');

/** What the priorities of jobs are called; each stands at the place of its number. */
export const PRIORITY_NAMES = ['high', 'normal', 'low'] as const;

type PriorityName = (typeof PRIORITY_NAMES)[number];

/** A row of `show jobs of FUNCTION`, an extension of ours. */
export interface FunctionJobRow {
  readonly handle: ByteString;
  readonly isRunning: boolean;
  readonly priority: PriorityName;
  readonly isBackground: boolean;
  /** For how long it runs or could have been taken, in milliseconds. */
  readonly age: number;
  readonly losses: number;
  readonly attempts: number;
  readonly numerator: number;
  readonly denominator: number;
  /** What its worker calls itself; undefined where none runs it, or it does not say. */
  readonly worker: ByteString | undefined;
}

export function writeFunctionJobRow(row: FunctionJobRow): string {
  const { handle, isRunning, priority, isBackground, age, losses, attempts, numerator, denominator, worker } = row;
  const numbers = [age, losses, attempts, numerator, denominator];
  const columns = [showName(handle), Number(isRunning), priority, Number(isBackground), ...numbers];
  return `${columns.join('\t')}\t${showName(worker ?? '-')}\n`;
}

const FUNCTION_JOB = /^([^\t]*)\t([01])\t(high|normal|low)\t([01])\t((?:[\d.e+-]+\t){5})([^\t]*)/;

/** What such a row says; further columns may stand behind. */
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
  /** When it was given up, in milliseconds since 1970. */
  readonly diedAt: number;
  /** Why it failed the last time; it travels as a URL component. */
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
  const [, handle, name, attempts, losses, diedAt, error] = DEAD_JOB.exec(line) ?? [];
  if (handle === undefined) return undefined;
  return {
    handle: readName(handle),
    function: readName(name!),
    attempts: Number(attempts),
    losses: Number(losses),
    diedAt: Number(diedAt),
    error: decodeURIComponent(error!),
  };
}

/** The answer to `show dead job HANDLE`: its row, and its job behind that. */
export interface DeadJobDetailsRow extends DeadJobRow {
  readonly unique: ByteString;
  readonly priority: PriorityName;
  /** How many bytes its workload has. */
  readonly workloadBytes: number;
  /** How it begins. */
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

/** A row of `workers`: a connection; clients are among them, without functions. */
export interface WorkerRow {
  /** The job server's own number of it. */
  readonly number: number;
  readonly address: string;
  /** What it calls itself; undefined: it does not say. */
  readonly clientId: ByteString | undefined;
}

/** Word by word, as blanks part them: one worker may do 100,000 functions. */
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

/** A row of `show schedules`, an extension of ours: the id and, behind a tab, the rest as JSON in ASCII. Times are milliseconds since 1970. */
export interface ScheduleRow<Options extends { readonly function: string } = { readonly function: string }> {
  readonly id: ByteString;
  readonly source: 'options' | 'decorator' | 'crontab' | 'put';
  /** The last tick that fired or was passed over, or when it began; null: no tick of it is known. */
  readonly lastTick: number | null;
  /** Left out: none will come. */
  readonly nextTick?: number | undefined;
  readonly isPaused: boolean;
  /** Left out: nothing is wrong. */
  readonly problem?: string | undefined;
  /** As it was written, with the defaults filled in. */
  readonly options: Options;
}

export function writeScheduleRow({ id, ...state }: ScheduleRow): string {
  return `${showWord(id)}\t${asciiJson(state)}\n`;
}

export function readScheduleRow<Options extends { readonly function: string }>(
  line: string,
): ScheduleRow<Options> | undefined {
  const [, id, json] = /^([^\t]*)\t(.*)$/.exec(line) ?? [];
  if (id === undefined) return undefined;
  return { ...(JSON.parse(json!) as Omit<ScheduleRow<Options>, 'id'>), id: readName(id) };
}
