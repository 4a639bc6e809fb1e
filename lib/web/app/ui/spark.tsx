import type { FunctionRow } from '../state/function-row.js';
import { count } from '../state/numbers.js';
import { sparks } from '../state/sparks.js';

const MINUTES = 60;
const HEIGHT = 20;

/** The least height of a bar, so that it can be seen. */
const LEAST = 1.5;

/** What a function has done in the last hour: a bar a minute, with failures on top. */
export function HourOf({ row }: { readonly row: FunctionRow }) {
  const spark = sparks.value.get(row.id);
  if (!spark) return null;
  const failed = spark.failed.slice(-MINUTES);
  const ended = spark.completed.slice(-MINUTES).map((done, minute) => done + failed[minute]!);
  const [all, bad] = [sum(ended), sum(failed)];
  if (all === 0) return null;
  const most = Math.max(...ended);
  const told = `in the last hour: ${count(all - bad)} done, ${count(bad)} failed`;
  return (
    <svg class="spark" viewBox={`0 0 ${MINUTES} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={told}>
      <title>{told}</title>
      <path class="ground" d={`M0 ${HEIGHT - 0.8}h${MINUTES}v.8h-${MINUTES}z`} />
      <path class="ended" d={bars(ended, ended, most)} />
      <path class="failed" d={bars(ended, failed, most)} />
    </svg>
  );
}

/** Bars that hang down from given tops. */
function bars(tops: readonly number[], lengths: readonly number[], most: number): string {
  const first = MINUTES - tops.length;
  return lengths
    .map((length, minute) => {
      if (length === 0) return '';
      const top = HEIGHT - Math.max(LEAST, (tops[minute]! / most) * HEIGHT);
      const bottom = Math.min(HEIGHT, top + Math.max(LEAST, (length / most) * HEIGHT));
      return `M${first + minute} ${bottom.toFixed(1)}V${top.toFixed(1)}h.8V${bottom.toFixed(1)}z`;
    })
    .join('');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
