import { displayWidth, fitted, padded } from '../display-width.js';

/** How a part of a line looks. The look only underlines what the text says already. */
export type Look = 'plain' | 'dim' | 'bold' | 'chosen' | 'title' | 'alarm' | 'warning';

/** A part of a line that begins at a certain column. */
export interface Span {
  readonly text: string;
  readonly look: Look;
}

/** A line of the screen, never wider than the screen. */
export type Line = readonly Span[];

/** The size of a screen, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export function span(text: string, look: Look = 'plain'): Span {
  return { text, look };
}

/** The text of a line, as it looks. */
export function textOf(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}

/** A line cut to a width. */
export function cut(line: Line, width: number): Line {
  const kept: Span[] = [];
  let left = width;
  for (const { text, look } of line) {
    if (left <= 0) break;
    const shown = fitted(text, left);
    kept.push({ text: shown, look });
    left -= displayWidth(shown);
  }
  return kept;
}

/** A text at the left and one at the right; the right one is left out if there is no room for both. */
export function spread(left: Line, right: string, width: number): Line {
  const used = left.reduce((sum, { text }) => sum + displayWidth(text), 0);
  const gap = width - used - displayWidth(right);
  return gap < 2 ? cut(left, width) : [...left, span(' '.repeat(gap) + right, 'dim')];
}

/** Exactly so many lines: cut, or filled with empty lines. */
export function filled(lines: readonly Line[], count: number): Line[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => lines[index] ?? []);
}

/** A column of a table on the screen. */
export interface ScreenColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly width: number;
  readonly isRight?: boolean;
  readonly look?: (row: Row) => Look;
}

const GAP = '  ';

/**
 * The columns that fit, beginning with the first. The column titled `flexible`
 * gets as much as it wants of the rest.
 */
export function fittingColumns<Column extends { readonly title: string; readonly width: number }>(
  columns: readonly Column[],
  flexible: { readonly title: string; readonly wanted: number },
  width: number,
): Column[] {
  const fitting: Column[] = [];
  let used = -GAP.length;
  for (const column of columns) {
    if (fitting.length > 0 && used + GAP.length + column.width > width) break;
    used += GAP.length + column.width;
    fitting.push(column);
  }
  return fitting.map((column) => {
    if (column.title !== flexible.title) return column;
    const possible = column.width + width - used;
    return { ...column, width: Math.max(1, Math.min(possible, Math.max(column.width, flexible.wanted))) };
  });
}

/** How wide a column must be to show all of its cells. */
export function wantedWidth<Row>(rows: readonly Row[], cell: (row: Row) => string): number {
  return rows.reduce((width, row) => Math.max(width, displayWidth(cell(row))), 0);
}

/** A row of a table as a line. */
export function tableLine<Row>(columns: readonly ScreenColumn<Row>[], row: Row): Line {
  return columns.map(({ cell, width, isRight, look }, index) => {
    const gap = index < columns.length - 1 ? GAP : '';
    return span(padded(cell(row), width, isRight) + gap, look?.(row));
  });
}

/** A line that is highlighted over the whole width of the screen. */
export function chosenLine(line: Line, width: number): Line {
  const used = line.reduce((sum, { text }) => sum + displayWidth(text), 0);
  return [...line.map(({ text }) => span(text, 'chosen')), span(' '.repeat(Math.max(0, width - used)), 'chosen')];
}

/** The titles of a table as a line. */
export function titleLine<Row>(columns: readonly ScreenColumn<Row>[]): Line {
  return columns.map(({ title, width, isRight }, index) =>
    span(padded(title, width, isRight) + (index < columns.length - 1 ? GAP : ''), 'title'),
  );
}
