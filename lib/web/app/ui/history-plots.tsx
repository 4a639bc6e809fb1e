import { useEffect } from 'preact/hooks';
import type { Asked } from '../state/api.js';
import { loadPlots } from './plot-library.js';
import { Plot } from './plot.js';
import { useAnswer } from './use-answer.js';

/** The series of the API's history. */
type Series = Readonly<
  Partial<
    Record<
      | 'waiting'
      | 'delayed'
      | 'running'
      | 'submitted'
      | 'completed'
      | 'failed'
      | 'waitP50Seconds'
      | 'waitP95Seconds'
      | 'runP50Seconds'
      | 'runP95Seconds',
      readonly (number | null)[]
    >
  >
>;

interface History {
  readonly intervalSeconds?: number;
  readonly until?: string;
  readonly all?: Series;
  readonly functions?: readonly {
    readonly intervalSeconds: number;
    readonly until: string;
    readonly series: Series;
  }[];
}

/** How often the last hour is asked for, in milliseconds: it has a new moment every ten seconds. */
const INTERVAL = 10_000;
const MOMENTS = 360;

/** How many moments are shown at least: five minutes. */
const LEAST = 30;

/** With fewer moments than this, the last two minutes are shown second by second. */
const FEW = 12;
const SECONDS = 120;

/** Plots of the last hour, as the job server remembers it, for all functions or for one. */
export function HistoryPlots({ of }: { readonly of?: Asked['query'] }) {
  // After the rest of the page is drawn.
  useEffect(() => void loadPlots(), []);
  const hour = useAnswer<History>('history', { resolution: '10s', ...of }, INTERVAL).data;
  const known = (of ? hour?.functions?.[0]?.series : hour?.all)?.waiting?.length;
  const isNew = hour !== undefined && (known ?? 0) < FEW;
  const fine = useAnswer<History>(isNew ? 'history' : undefined, { resolution: '1s', ...of }, 2_000).data;
  const data = isNew ? fine : hour;
  if (!data) return <div class="plots waits" aria-hidden="true" />;
  return <Plots history={data} isOfOne={of !== undefined} />;
}

function Plots({ history, isOfOne }: { readonly history: History; readonly isOfOne: boolean }) {
  const slice = isOfOne ? history.functions?.[0] : history;
  const series = isOfOne ? history.functions?.[0]?.series : history.all;
  if (!slice?.until || !series) {
    return <p class="faint plots-empty">No history yet: it begins with the first jobs, and is kept for an hour.</p>;
  }
  const step = slice.intervalSeconds ?? 10;
  const until = Date.parse(slice.until) / 1_000;
  const known = series.waiting?.length ?? 0;
  const moments = step < 10 ? SECONDS : Math.min(MOMENTS, Math.max(LEAST, known));
  const times = Array.from({ length: moments }, (_, index) => until - (moments - 1 - index) * step);
  const line = (label: string, colour: string, name: keyof Series, by = 1) => ({
    label,
    colour,
    values: filled(series[name] ?? [], moments, by),
  });
  return (
    <div class="plots">
      <Plot
        title="Waiting and running"
        unit="jobs"
        times={times}
        lines={[line('waiting', '--line-1', 'waiting'), line('running', '--line-2', 'running')]}
      />
      <Plot
        title="Flow"
        unit="jobs/s"
        times={times}
        lines={[
          line('in', '--line-1', 'submitted', step),
          line('done', '--line-2', 'completed', step),
          line('failed', '--line-bad', 'failed', step),
        ]}
      />
      <Plot
        title="Waited"
        unit="seconds"
        times={times}
        lines={[line('median', '--line-1', 'waitP50Seconds'), line('95 %', '--line-3', 'waitP95Seconds')]}
      />
      <Plot
        title="Ran"
        unit="seconds"
        times={times}
        lines={[line('median', '--line-1', 'runP50Seconds'), line('95 %', '--line-3', 'runP95Seconds')]}
      />
    </div>
  );
}

/** Exactly so many moments; those before the job server began to remember are empty. */
function filled(values: readonly (number | null)[], moments: number, by: number): (number | null)[] {
  const before = new Array<null>(Math.max(0, moments - values.length)).fill(null);
  return [...before, ...values.slice(-moments).map((value) => (value === null ? null : value / by))];
}
