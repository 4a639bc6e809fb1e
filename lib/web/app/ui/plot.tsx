import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { count, duration, rate } from '../state/numbers.js';
import { plotLibrary } from './plot-library.js';
import { colours } from './theme.js';

/** One line of a plot. */
export interface PlotLine {
  readonly label: string;
  /** A variable of the style sheet: `--line-1`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

interface PlotProps {
  readonly title: string;
  /** The unit of the numbers. */
  readonly unit: 'jobs' | 'jobs/s' | 'seconds';
  /** The time of each moment, in seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
}

const HEIGHT = 130;

/** The least height of each scale, so that small numbers do not look like large changes. */
const LEAST = { jobs: 4, 'jobs/s': 1, seconds: 0.005 } as const;

/** The last hour as lines; the numbers are shown below the pointer, and those of the last moment for people who do not see the plot. */
export function Plot({ title, unit, times, lines }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const legend = useRef<HTMLSpanElement>(null);
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = [times as number[], ...lines.map(({ values }) => values as number[])];

  const tellAt = (index: number | null | undefined): void => {
    const at = index ?? times.length - 1;
    const parts = lines.map(({ label }, line) => `${label} ${say(unit, data.current[line + 1]?.[at])}`);
    const when = index === null || index === undefined ? '' : `${clock(data.current[0][at], true)} · `;
    if (legend.current) legend.current.textContent = when + parts.join(' · ');
  };
  const tell = useRef(tellAt);
  tell.current = tellAt;

  const library = plotLibrary.value;
  useEffect(() => {
    if (typeof library !== 'function') return;
    const holder = box.current!;
    const made = new library(
      optionsOf(holder, unit, lines, (index) => tell.current(index)),
      data.current,
      holder,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: holder.clientWidth, height: HEIGHT }));
    watcher.observe(holder);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [library, colours.value, lines.map(({ label }) => label).join()]);
  useEffect(() => {
    plot.current?.setData(data.current);
    tellAt(plot.current?.cursor.idx);
  });

  return (
    <figure class="plot">
      <figcaption>
        <span class="title">{title}</span>
        <span class="legend">
          {lines.map(({ label, colour }) => (
            <span key={label} class={`mark ${colour.slice(2)}`}>
              {label}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={box} class="canvas">
        {library === 'lost' && <p class="faint">What draws it could not be loaded. Reload the page.</p>}
      </div>
      <span ref={legend} class="told faint" />
    </figure>
  );
}

function optionsOf(
  holder: HTMLElement,
  unit: PlotProps['unit'],
  lines: readonly PlotLine[],
  tell: (index: number | null | undefined) => void,
): uPlot.Options {
  const style = getComputedStyle(holder);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: colour('--faint'), font: '11px system-ui, sans-serif' };
  const grid = { stroke: colour('--line'), width: 1 };
  return {
    width: Math.max(200, holder.clientWidth),
    height: HEIGHT,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(LEAST[unit], (high || 0) * 1.1)] } },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        grid: { show: false },
        ticks: { show: false },
        values: (plot, at) => at.map((seconds) => clock(seconds, isShort(plot))),
      },
      {
        ...axis,
        size: 52,
        space: 32,
        grid,
        ticks: { show: false },
        values: (_, splits) => splits.map((value) => (value === 0 ? '0' : say(unit, value))),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        points: { show: false },
        spanGaps: unit !== 'seconds',
      })),
    ],
    hooks: { setCursor: [(plot) => tell(plot.cursor.idx)] },
  };
}

function say(unit: PlotProps['unit'], value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (unit === 'seconds') return duration(value * 1_000);
  if (unit === 'jobs/s') return `${rate(value) || '0'}/s`;
  return count(Math.round(value * 10) / 10);
}

function isShort(plot: uPlot): boolean {
  return (plot.scales['x']?.max ?? 0) - (plot.scales['x']?.min ?? 0) < 600;
}

function clock(seconds: number | undefined, hasSeconds = false): string {
  if (seconds === undefined) return '';
  const parts = {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(hasSeconds && { second: '2-digit' as const }),
  } as const;
  return new Date(seconds * 1_000).toLocaleTimeString([], parts);
}
