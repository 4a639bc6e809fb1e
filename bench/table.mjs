import { FIGURES } from './loads.mjs';

/** The contestants, in the order of the columns. */
export const CONTESTANTS = {
  gearmand: 'gearmand -t 4',
  ours: 'ours',
  'node-floor': 'Node floor',
  'c-floor': 'C floor',
};

/** The median of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const TITLES = ['load', 'figure', ...Object.values(CONTESTANTS), 'ours / gearmand', 'ours / Node floor'];

/** The head of the table. */
export const HEAD = [`| ${TITLES.join(' | ')} |`, `| --- | --- |${' ---: |'.repeat(TITLES.length - 2)}`];

/** One row for each figure: all medians, and ours as a multiple of gearmand's and of the floor's. */
export function rowsOf({ title, figures }, medians) {
  return figures.map((name, index) => {
    const figures = Object.keys(CONTESTANTS).map((contestant) => medians[contestant]?.[name]);
    const ratios = ['gearmand', 'node-floor'].map((other) => ratio(medians.ours?.[name], medians[other]?.[name]));
    const cells = figures.map((figure) => write(FIGURES[name], figure));
    return `| ${[index === 0 ? title : '', FIGURES[name].title, ...cells, ...ratios].join(' | ')} |`;
  });
}

/** The comparison in the README: where each job server is better, and by how much. */
const COMPARED = [
  ['CPU of a foreground job', 'fg', 'cpuMicros', 'us'],
  ['the same, its worker pushed to by ours (ALL_YOURS)', 'fg-push', 'cpuMicros', 'us'],
  ['Round trip of one job, median', 'fg-one', 'p50', 'us'],
  ['Taking jobs of a queue of 1,000,000', 'drain-deep', 'perSecond', 'a second'],
  ['Memory of a queued job', 'bg', 'bytesEach', 'bytes'],
  ['Memory of an idle connection', 'idle', 'bytesEach', 'bytes'],
  ['Background submissions', 'bg', 'perSecond', 'a second'],
  ['CPU of a foreground job with 10 kB', 'large', 'cpuMicros', 'us'],
];

/** The README's table, as lines of Markdown. */
export function comparisonOf(loads) {
  const rows = COMPARED.map(([title, load, name, unit]) => {
    const [theirs, ours] = ['gearmand', 'ours'].map((who) => write(FIGURES[name], loads[load]?.[who]?.[name]));
    return `| ${title} | ${theirs} ${unit} | ${ours} ${unit} |`;
  });
  return ['| | C `gearmand` 1.1.20 | this job server |', '| --- | ---: | ---: |', ...rows];
}

function write({ digits }, figure) {
  if (figure === undefined) return '-';
  return figure.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

function ratio(ours, theirs) {
  return ours > 0 && theirs > 0 ? (ours / theirs).toFixed(2) : '';
}
