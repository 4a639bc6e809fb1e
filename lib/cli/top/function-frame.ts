import type { FunctionJob, WorkerStatus } from '../../driver/index.js';
import { showText } from '../../protocol/index.js';
import {
  cut,
  filled,
  fittingColumns,
  span,
  spread,
  tableLine,
  titleLine,
  wantedWidth,
  type Line,
  type ScreenColumn,
  type Size,
} from './frame.js';
import { footer } from './list-frame.js';
import { shownAge, shownCount, shownRate } from './numbers.js';
import type { Row } from './rows.js';
import type { View } from './view.js';

/** The workers and jobs of a function. */
export interface FunctionDetails {
  readonly workers: readonly WorkerStatus[];
  /** The first of its jobs; undefined if the job server does not tell the jobs of a function. */
  readonly jobs: readonly FunctionJob[] | undefined;
}

/** Everything that the page of a function shows. */
export interface FunctionContents {
  /** Undefined if the function, or its job server, is gone. */
  readonly row: Row | undefined;
  /** Undefined until the job server has answered. */
  readonly details: FunctionDetails | undefined;
  readonly view: View;
  readonly clock: string;
}

const JOB_COLUMNS: readonly ScreenColumn<FunctionJob>[] = [
  { title: 'HANDLE', width: 26, cell: ({ handle }) => showText(handle) },
  { title: 'STATE', width: 7, cell: ({ isRunning }) => (isRunning ? 'running' : 'waiting') },
  { title: 'FOR', width: 6, isRight: true, cell: ({ age }) => shownAge(age) },
  { title: 'PRIORITY', width: 8, cell: ({ priority }) => priority },
  { title: 'PROGRESS', width: 8, isRight: true, cell: progressOf },
  { title: 'RETRIES', width: 7, isRight: true, cell: ({ attempts, losses }) => shownCount(attempts + losses) },
  { title: 'WORKER', width: 12, cell: ({ worker }) => (worker === undefined ? '' : showText(worker)) },
  { title: 'BACKGROUND', width: 10, cell: ({ isBackground }) => (isBackground ? 'yes' : 'no') },
];

const WORKER_COLUMNS: readonly ScreenColumn<WorkerStatus>[] = [
  { title: 'WORKER', width: 18, cell: ({ clientId }) => (clientId === undefined ? '-' : showText(clientId)) },
  { title: 'ADDRESS', width: 20, cell: ({ address }) => showText(address) },
  { title: 'FUNCTIONS', width: 9, isRight: true, cell: ({ functions }) => shownCount(functions.length) },
];

function progressOf({ isRunning, numerator, denominator }: FunctionJob): string {
  if (!isRunning || !(denominator > 0)) return '';
  return `${Math.floor((numerator / denominator) * 100)}%`;
}

/** How many lines of the page fit on a screen. */
export function functionLines({ rows }: Size): number {
  return Math.max(0, rows - 4);
}

/** The page of a function as lines of the screen. */
export function functionFrame({ row, details, view, clock }: FunctionContents, size: Size): Line[] {
  if (!row) return goneFrame(view, clock, size);
  const { columns } = size;
  const body = details ? bodyOf(details, row, columns) : [[span('Asking…', 'dim')]];
  const count = functionLines(size);
  const first = Math.min(view.scrolled, Math.max(0, body.length - count));
  const trouble = row.trouble === undefined ? [] : [span('  '), span(row.trouble, 'alarm')];
  const lines = [
    spread([span(row.name, 'bold'), ...trouble, span(`  ${showText(row.server)}`, 'dim')], clock, columns),
    cut([span(numbersOf(row))], columns),
    [],
    ...filled(body.slice(first), count),
    cut(footer(view, 0, 0), columns),
  ];
  return filled(lines, size.rows);
}

function goneFrame(view: View, clock: string, size: Size): Line[] {
  const lines = [
    spread([span('nestjs-gearman top', 'bold')], clock, size.columns),
    [],
    cut([span('This function is gone, or its job server does not answer.')], size.columns),
  ];
  return [...filled(lines, size.rows - 1), cut(footer(view, 0, 0), size.columns)].slice(-size.rows);
}

function numbersOf(row: Row): string {
  const parts: [string, string][] = [
    [shownCount(row.waiting), 'waiting'],
    [shownCount(row.running), 'running'],
    [shownCount(row.delayed), 'delayed'],
    [shownCount(row.workers), row.workers === 1 ? 'worker' : 'workers'],
    [shownRate(row.in), 'in/s'],
    [shownRate(row.done), 'done/s'],
    [shownRate(row.failed), 'failed/s'],
  ];
  const told = parts.filter(([value]) => value !== '').map(([value, title]) => `${value} ${title}`);
  if (row.oldest !== undefined) told.push(`oldest ${shownAge(row.oldest)}`);
  if (row.longest !== undefined) told.push(`longest ${shownAge(row.longest)}`);
  return told.join('  ');
}

function bodyOf({ workers, jobs }: FunctionDetails, row: Row, width: number): Line[] {
  const handle = { title: 'HANDLE', wanted: wantedWidth(jobs ?? [], (job) => showText(job.handle)) };
  const worker = { title: 'WORKER', wanted: wantedWidth(workers, ({ clientId }) => showText(clientId ?? '')) };
  const jobColumns = fittingColumns(JOB_COLUMNS, handle, width);
  const workerColumns = fittingColumns(WORKER_COLUMNS, worker, width);
  return [
    ...(jobs
      ? jobLines(jobs, row, jobColumns)
      : [[span('This job server does not tell which jobs are whose.', 'dim')]]),
    [],
    ...(workers.length > 0
      ? [titleLine(workerColumns), ...workers.map((worker) => tableLine(workerColumns, worker))]
      : [[span('No worker can do it.', row.waiting > 0 ? 'alarm' : 'dim')]]),
  ].map((line) => cut(line, width));
}

function jobLines(
  jobs: readonly FunctionJob[],
  { waiting, running }: Row,
  columns: readonly ScreenColumn<FunctionJob>[],
): Line[] {
  const more = waiting + running - jobs.length;
  if (jobs.length === 0 && more > 0) return [[span(`No jobs in memory, ${shownCount(more)} in the storage.`, 'dim')]];
  if (jobs.length === 0) return [[span('No jobs.', 'dim')]];
  return [
    titleLine(columns),
    ...jobs.map((job) => tableLine(columns, job)),
    ...(more > 0 ? [[span(`and ${shownCount(more)} more`, 'dim')]] : []),
  ];
}
