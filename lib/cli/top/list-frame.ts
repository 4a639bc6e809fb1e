import { showText } from '../../protocol/index.js';
import {
  chosenLine,
  cut,
  filled,
  fittingColumns,
  span,
  spread,
  tableLine,
  titleLine,
  wantedWidth,
  type Line,
  type Look,
  type ScreenColumn,
  type Size,
} from './frame.js';
import { shownAge, shownCount, shownRate } from './numbers.js';
import type { Watched } from './readings.js';
import type { Row, Sort } from './rows.js';
import { chosenIndex, listed, type View } from './view.js';

/** A column of the list, and the sort order that it shows. */
interface ListColumn extends ScreenColumn<Row> {
  readonly sort?: Sort;
}

const FUNCTION = 'FUNCTION';
const FUNCTION_WIDTH = 16;
const SERVER_WIDTH = 16;

/** The columns, the most important first: a narrow screen shows only the first ones. */
const COLUMNS: readonly ListColumn[] = [
  { title: FUNCTION, sort: 'name', width: FUNCTION_WIDTH, cell: ({ name }) => name },
  {
    title: 'TROUBLE',
    sort: 'trouble',
    width: 10,
    cell: ({ trouble }) => trouble ?? '',
    look: ({ trouble }) => lookOf(trouble),
  },
  { title: 'WAITING', sort: 'waiting', width: 7, isRight: true, cell: ({ waiting }) => shownCount(waiting) },
  { title: 'RUNNING', sort: 'running', width: 7, isRight: true, cell: ({ running }) => shownCount(running) },
  { title: 'WORKERS', sort: 'workers', width: 7, isRight: true, cell: ({ workers }) => shownCount(workers) },
  { title: 'OLDEST', sort: 'oldest', width: 6, isRight: true, cell: ({ oldest }) => shownAge(oldest) },
  { title: 'IN/S', sort: 'in', width: 5, isRight: true, cell: (row) => shownRate(row.in) },
  { title: 'DONE/S', sort: 'done', width: 6, isRight: true, cell: ({ done }) => shownRate(done) },
  { title: 'FAILED/S', sort: 'failed', width: 8, isRight: true, cell: ({ failed }) => shownRate(failed) },
  { title: 'DELAYED', sort: 'delayed', width: 7, isRight: true, cell: ({ delayed }) => shownCount(delayed) },
  { title: 'LONGEST', sort: 'longest', width: 7, isRight: true, cell: ({ longest }) => shownAge(longest) },
];

const SERVER: ListColumn = { title: 'SERVER', width: SERVER_WIDTH, cell: ({ server }) => showText(server) };

function lookOf(trouble: Row['trouble']): Look {
  if (trouble === undefined) return 'plain';
  return trouble === 'no workers' || trouble === 'stalled' ? 'alarm' : 'warning';
}

/** Everything that the list shows. */
export interface ListContents {
  readonly watched: readonly Watched[];
  readonly rows: readonly Row[];
  readonly view: View;
  /** The time of day, as text. */
  readonly clock: string;
}

/** How many rows of the list fit on a screen. */
export function listLines({ rows }: Size, watched: readonly Watched[]): number {
  return Math.max(0, rows - 4 - problemLines(watched).length);
}

/** The columns of the list; with several job servers there is one for the job server. */
function listColumns(serverCount: number): readonly ListColumn[] {
  if (serverCount < 2) return COLUMNS;
  const [first, ...others] = COLUMNS;
  // Behind the most useful columns, so that addresses do not fill a narrow screen.
  return [first!, ...others.slice(0, 2), SERVER, ...others.slice(2)];
}

/** The list of functions as lines of the screen. */
export function listFrame({ watched, rows, view, clock }: ListContents, size: Size): Line[] {
  const list = listed(view, rows);
  const wanted = wantedWidth(list, ({ name }) => name);
  const columns = fittingColumns(listColumns(watched.length), { title: FUNCTION, wanted }, size.columns);
  const count = listLines(size, watched);
  const index = chosenIndex(view, list);
  const first = firstShown(index, list.length, count);
  const body = list.slice(first, first + count).map((row, place) => {
    const line = tableLine(columns, row);
    return first + place === index ? chosenLine(line, size.columns) : line;
  });
  if (list.length === 0) body.push(cut([span(emptyText(watched, view), 'dim')], size.columns));
  const lines = [
    spread([span('nestjs-gearman top', 'bold'), span(`  ${placeText(watched)}`)], clock, size.columns),
    cut(totals(rows), size.columns),
    ...problemLines(watched).map((line) => cut(line, size.columns)),
    sortMarked(titleLine(columns), columns, view),
    ...filled(body, count),
    cut(footer(view, list.length, index), size.columns),
  ];
  return filled(lines, size.rows);
}

/** The first row to show, so that the chosen row is visible and the screen is full. */
function firstShown(index: number, length: number, count: number): number {
  const middle = index - Math.floor(count / 2);
  return Math.max(0, Math.min(middle, length - count));
}

function placeText(watched: readonly Watched[]): string {
  return watched.length === 1 ? showText(watched[0]!.server) : `${watched.length} job servers`;
}

function totals(rows: readonly Row[]): Line {
  const sum = (of: (row: Row) => number | undefined): number | undefined => {
    const known = rows.map(of).filter((value) => value !== undefined);
    return known.length > 0 ? known.reduce((total, value) => total + value, 0) : undefined;
  };
  const troubled = rows.filter(({ trouble }) => trouble !== undefined).length;
  const parts: [string, string][] = [
    [shownCount(sum(({ waiting }) => waiting) ?? 0), 'waiting'],
    [shownCount(sum(({ running }) => running) ?? 0), 'running'],
    [shownRate(sum((row) => row.in)), 'in/s'],
    [shownRate(sum(({ done }) => done)), 'done/s'],
    [shownCount(rows.length), rows.length === 1 ? 'function' : 'functions'],
  ];
  const known = parts.filter(([value]) => value !== '');
  const line = known.map(([value, title]) => `${value} ${title}`).join('  ');
  return troubled === 0 ? [span(line)] : [span(`${troubled} in trouble`, 'alarm'), span(`  ${line}`)];
}

function problemLines(watched: readonly Watched[]): Line[] {
  return watched.flatMap(({ problem }) => (problem === undefined ? [] : [[span(`! ${problem}`, 'alarm')]]));
}

function emptyText(watched: readonly Watched[], { filter }: View): string {
  if (filter !== '') return `No function has ${filter} in its name. Esc shows all.`;
  if (watched.every(({ readings }) => readings.length === 0)) {
    return watched.some(({ problem }) => problem === undefined)
      ? 'Asking…'
      : 'No job server answers; it is asked again.';
  }
  return 'No functions yet: neither a worker nor a job has named one.';
}

/** Marks the column that is sorted by with a sign, because colour alone must not tell it. */
function sortMarked(titles: Line, columns: readonly ListColumn[], { sort, isReversed }: View): Line {
  const sign = isReversed === (sort === 'trouble' || sort === 'name') ? '▼' : '▲';
  return titles.map(({ text, look }, index) => {
    const { sort: own, title } = columns[index]!;
    if (own !== sort) return span(text, look);
    return span(
      text.startsWith(' ') ? text.replace(` ${title}`, `${sign}${title}`) : markedBehind(text, title, sign),
      look,
    );
  });
}

/** If the title fills its whole column, the sign stands in the gap behind it. */
function markedBehind(text: string, title: string, sign: string): string {
  return text.length > title.length ? title + sign + text.slice(title.length + 1) : text;
}

/** The question, the outcome of the last action, or the keys. */
export function footer(view: View, count: number, index: number): Line {
  const { asked, isTyping, filter, message, page } = view;
  if (asked) return [span(`${questionOf(asked)} y/n`, 'bold')];
  if (isTyping) return [span('Filter: ', 'bold'), span(`${filter}█`), span('  Enter keeps it, Esc shows all', 'dim')];
  if (message !== '') return [span(message, 'bold')];
  if (page === 'function') return [span('q back  ↑↓ scroll  p pause  ? help', 'dim')];
  const place = count > 0 ? `${index + 1}/${count}  ` : '';
  const kept = filter === '' ? '' : `filter: ${filter}  `;
  return [span(`${place}${kept}`), span('q quit  ? help  ↑↓ choose  Enter open  / filter  ←→ sort  p pause', 'dim')];
}

function questionOf({ name, isPaused }: Row): string {
  return isPaused ? `Give jobs of ${name} to workers again?` : `Hold the jobs of ${name} back from workers?`;
}
