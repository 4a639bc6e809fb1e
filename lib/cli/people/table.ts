import { showText, showTextWord } from '../../protocol/index.js';
import { displayWidth, padded } from '../display-width.js';

/**
 * A column of a table: its title, and its cells. Numbers are aligned right; blanks
 * separate several texts in one cell. Texts are escaped so that they begin no new
 * line and control no terminal, whoever chose them.
 */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  /** Aligns a column right although it has no numbers. */
  readonly isRight?: boolean;
}

type Cell = string | number | readonly string[];

/** Rows as text in aligned columns, one line each, under their titles. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const lines = [columns.map(({ title }) => title), ...cells.map((line) => line.map(shown))];
  const widths = columns.map((_, index) => widest(lines.map((line) => line[index]!)));
  const isRight = columns.map(
    (column, index) => column.isRight ?? (cells.length > 0 && cells.every((line) => typeof line[index] === 'number')),
  );
  const pad = (text: string, index: number): string => padded(text, widths[index]!, isRight[index]);
  return lines.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('');
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, displayWidth(text)), 0);
}

function shown(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  return typeof cell === 'string' ? showText(cell) : cell.map(showTextWord).join(' ');
}
