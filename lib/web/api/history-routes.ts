import { exactText, toByteString, type ByteString } from '../../protocol/index.js';
import {
  HISTORY_SERIES,
  MAX_RECENT,
  type HistoryResolution,
  type HistorySeriesName,
  type HistorySlice,
  type RecentJob,
} from '../../job-server/history/index.js';
import { nameFields } from '../function-name.js';
import { answerLarge, answerList } from '../http/answers.js';
import { bytesAsJson } from '../http/event-stream.js';
import { invalid } from '../problem.js';
import { limitOf, nameOfBase64, permittedFunction, requireAllFunctions, requireConsent, type Call } from './call.js';
import type { Route } from './route.js';
import { ANSWERS, json } from './schemas.js';

const RESOLUTIONS = ['1s', '10s', '1min', '5min'] as const;

/** A minute consists of six of the moments that are kept. */
const MINUTE = 60_000;

/** How many functions one answer has at most: each may take 30 kB. */
const MAX_FUNCTIONS = 100;

export const HISTORY_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/history',
    role: 'read',
    summary: `What the numbers were: of all functions together, or of each that is named (up to ${MAX_FUNCTIONS})`,
    query: {
      function: 'a function; may be said several times',
      function64: 'the same in base64url',
      resolution:
        '10s (default) and 1min: the last hour; 1s: the last 10 minutes, of a function 2; 5min: the last day, of all together only',
      series: `which, with commas between: ${HISTORY_SERIES.join(', ')}; default: all`,
    },
    answers: { 200: json('The series, oldest first; null where nothing was to be measured', ANSWERS.history) },
    run: history,
  },
  {
    method: 'GET',
    template: '/v1/history/jobs',
    role: 'read',
    summary: 'Jobs that ended lately, the last one first; workload and error only for the role inspect',
    query: {
      outcome: `completed (up to ${MAX_RECENT.completed}, at most 200 a second) or failed (default; up to ${MAX_RECENT.failed})`,
      function: 'only of this function',
      handle: 'only this job',
      limit: 'the most; default 100',
    },
    answers: { 200: json('They', ANSWERS.endedJobs) },
    run: endedJobs,
  },
];

async function history(call: Call): Promise<void> {
  requireConsent(call, 'status');
  const { query, source } = call;
  const resolution = (query.get('resolution') ?? '10s') as (typeof RESOLUTIONS)[number];
  if (!RESOLUTIONS.includes(resolution)) throw invalid('resolution', `one of ${RESOLUTIONS.join(', ')}`);
  const wanted = seriesOf(query.get('series'));
  const names = namesOf(call);
  const kept = source.jobServer.history;
  if (names.length === 0) {
    requireAllFunctions(call);
    const slice = inMinutes(resolution, (fine) => kept.total(fine));
    return answerLarge(call, { resolution, ...timesOf(slice), all: slice && shown(slice, wanted) });
  }
  if (resolution === '5min') throw invalid('resolution', '1s, 10s or 1min for functions');
  const functions = function* (): Iterable<object> {
    for (const name of names) {
      const slice = inMinutes(resolution, (fine) => kept.function(exactText(name), fine));
      if (slice) yield { ...nameFields(name), ...timesOf(slice), series: shown(slice, wanted) };
    }
  };
  await answerList(call, 'functions', functions(), { resolution });
}

/** A slice as it is kept, or with the moments of each minute made one; the last minute is not complete. */
function inMinutes<Resolution extends HistoryResolution>(
  resolution: Resolution | '1min',
  sliceOf: (fine: Resolution | '10s') => HistorySlice | undefined,
): HistorySlice | undefined {
  if (resolution !== '1min') return sliceOf(resolution);
  const slice = sliceOf('10s');
  if (!slice) return undefined;
  const { interval, until, series } = slice;
  const minuteAt = (index: number, length: number): number =>
    Math.floor((until.getTime() - (length - 1 - index) * interval) / MINUTE);
  const coarse = Object.entries(series).map(([name, values]) => {
    const minutes = new Map<number, number[]>();
    values.forEach((value, index) => {
      const minute = minuteAt(index, values.length);
      const moments = minutes.get(minute);
      if (moments) moments.push(value);
      else minutes.set(minute, [value]);
    });
    return [name, [...minutes.values()].map((moments) => asOne(name, moments))];
  });
  return { interval: MINUTE, until, series: Object.fromEntries(coarse) as HistorySlice['series'] };
}

const COUNTS: readonly string[] = ['submitted', 'completed', 'failed'];

/** One value for several moments: counts are added, percentiles become the largest, gauges the last. */
function asOne(name: string, moments: readonly number[]): number {
  if (COUNTS.includes(name)) return moments.reduce((sum, value) => sum + value, 0);
  if (!name.includes('P')) return moments.at(-1)!;
  return moments.reduce((most, value) => (Number.isNaN(most) || value > most ? value : most), Number.NaN);
}

function namesOf(call: Call): ByteString[] {
  const { query } = call;
  const plain = query.getAll('function').map(toByteString);
  const encoded = query.getAll('function64').map((text) => nameOfBase64(text, 'function64'));
  const names = [...plain, ...encoded].map((name) => permittedFunction(call, name));
  if (names.length <= MAX_FUNCTIONS) return names;
  throw invalid('function', `given at most ${MAX_FUNCTIONS} times`);
}

function seriesOf(text: string | null): readonly HistorySeriesName[] {
  if (text === null || text === '') return HISTORY_SERIES;
  const wanted = text.split(',') as HistorySeriesName[];
  if (wanted.every((name) => HISTORY_SERIES.includes(name))) return wanted;
  throw invalid('series', `some of ${HISTORY_SERIES.join(', ')}`);
}

function timesOf(slice: HistorySlice | undefined): object {
  return slice ? { intervalSeconds: slice.interval / 1_000, until: slice.until } : {};
}

function shown({ series }: HistorySlice, wanted: readonly HistorySeriesName[]): object {
  // Rounded, because they are kept as 32-bit numbers: 0.1 would be 0.10000000149011612. NaN becomes null in JSON.
  return Object.fromEntries(wanted.map((name) => [name, series[name].map((value) => Math.round(value * 1e6) / 1e6)]));
}

async function endedJobs(call: Call): Promise<void> {
  requireConsent(call, 'status');
  const outcome = call.query.get('outcome') ?? 'failed';
  if (outcome !== 'completed' && outcome !== 'failed') throw invalid('outcome', 'completed or failed');
  const limit = limitOf(call, MAX_RECENT.completed);
  const name = call.query.get('function');
  const handle = call.query.get('handle');
  const { permission, source } = call;
  const isWanted = (job: RecentJob): boolean =>
    (name === null || job.function === name) && (handle === null || job.handle === handle);
  const jobs = source.jobServer.history.recent
    .list(outcome)
    .filter((job) => permission.covers(job.function) && isWanted(job))
    .slice(0, limit);
  const mayInspect = permission.may('inspect');
  const lines = function* (): Iterable<object> {
    for (const job of jobs) yield described(job, mayInspect);
  };
  await answerList(call, 'jobs', lines());
}

function described({ took, workload, error, ...job }: RecentJob, mayInspect: boolean): object {
  const seconds = took === undefined ? {} : { ranSeconds: took / 1_000 };
  const inside = mayInspect ? { workload: bytesAsJson(workload), error: bytesAsJson(error) } : {};
  return { ...job, ...seconds, ...inside };
}
