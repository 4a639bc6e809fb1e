/** A column of a table: its title, and what stands in it. Numbers are set to the right. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string | number;
}

/** Rows as aligned text, a line each, under their titles. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const lines = [columns.map(({ title }) => title), ...cells.map((line) => line.map(String))];
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
