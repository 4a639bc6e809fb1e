import { showText, showTextWord } from '../../protocol/index.js';

/**
 * A column of a table: its title, and what stands in it. Numbers are set to the
 * right; several texts have blanks between them. A text is shown so that it
 * begins no line of its own and steers no terminal, whoever chose it.
 */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
}

type Cell = string | number | readonly string[];

/** Rows as aligned text, a line each, under their titles. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const lines = [columns.map(({ title }) => title), ...cells.map((line) => line.map(shown))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => [...line[index]!].length)));
  const isNumeric = columns.map(
    (_, index) => cells.length > 0 && cells.every((line) => typeof line[index] === 'number'),
  );
  const pad = (text: string, index: number): string => {
    const blanks = ' '.repeat(widths[index]! - [...text].length);
    return isNumeric[index] ? blanks + text : text + blanks;
  };
  return lines.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('');
}

function shown(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  return typeof cell === 'string' ? showText(cell) : cell.map(showTextWord).join(' ');
}
