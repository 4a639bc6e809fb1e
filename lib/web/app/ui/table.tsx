import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { usePageKeys } from './keys.js';

/** A column of a table of rows. */
export interface TableColumn<Row> {
  readonly id: string;
  readonly title: string;
  /** Explains the column if its title is too short for that. */
  readonly hint?: string;
  readonly isNumber?: boolean;
  /** Whether its title is a button that sorts. */
  readonly sorts?: boolean;
  cell(row: Row): ComponentChildren;
}

interface TableProps<Row> {
  /** The table's name for people who do not see it, and for the style sheet. */
  readonly name: string;
  readonly rows: readonly Row[];
  readonly columns: readonly TableColumn<Row>[];
  keyOf(row: Row): string | number;
  /** Where Enter and a click lead. */
  linkOf?(row: Row): string;
  readonly sortedBy?: { readonly id: string; readonly isDown: boolean } | undefined;
  onSort?(id: string): void;
  /** Makes a row stand out. */
  levelOf?(row: Row): string | undefined;
  /** The rows chosen with `x` and the boxes. */
  readonly chosen?: ReadonlySet<string | number>;
  onChoose?(row: Row): void;
  /** Called with the rows that are visible, or nearly. */
  onSeen?(rows: readonly Row[]): void;
}

/** How many rows exist before and after the visible ones. */
const MARGIN = 12;

/**
 * A table in which only the visible rows exist, so that 100,000 of them are as
 * quick as ten. `j` and `k` go from row to row, Enter opens one.
 */
export function Table<Row>(props: TableProps<Row>) {
  const { name, rows, columns, keyOf, linkOf, sortedBy, onSort, levelOf, chosen, onChoose, onSeen } = props;
  const body = useRef<HTMLDivElement>(null);
  const seen = useSignal({ first: 0, last: 60, height: 34 });
  const cursor = useSignal<string | number | undefined>(undefined);

  useLayoutEffect(() => {
    const look = (): void => {
      const box = body.current;
      if (!box) return;
      const height = Number.parseFloat(getComputedStyle(box).getPropertyValue('--row')) || 34;
      const top = -box.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(top / height) - MARGIN);
      const last = Math.ceil((top + innerHeight) / height) + MARGIN;
      const before = seen.peek();
      if (before.first !== first || before.last !== last || before.height !== height) {
        seen.value = { first, last, height };
      }
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [rows.length]);

  const { first, last, height } = seen.value;
  useEffect(() => onSeen?.(rows.slice(first, last)), [rows, first, last]);
  const current = useRef({ rows, keyOf, linkOf, onChoose });
  current.current = { rows, keyOf, linkOf, onChoose };

  const move = (by: number): void => {
    const { rows, keyOf } = current.current;
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => keyOf(row) === cursor.peek());
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
    cursor.value = keyOf(rows[next]!);
    const box = body.current!;
    const top = box.getBoundingClientRect().top + next * height;
    const [above, below] = [140, innerHeight - height * 2];
    if (top < above) scrollBy(0, top - above);
    else if (top > below) scrollBy(0, top - below);
  };
  const atCursor = (): Row | undefined => {
    const { rows, keyOf } = current.current;
    return rows.find((row) => keyOf(row) === cursor.peek());
  };
  usePageKeys({
    j: { does: 'Next row', run: () => move(1) },
    k: { does: 'Row before', run: () => move(-1) },
    ...(linkOf && {
      Enter: {
        does: 'Open the row',
        run: () => {
          const row = atCursor();
          if (row !== undefined) location.hash = current.current.linkOf!(row);
        },
      },
    }),
    ...(onChoose && {
      x: {
        does: 'Choose the row, or no longer',
        run: () => {
          const row = atCursor();
          if (row !== undefined) current.current.onChoose!(row);
        },
      },
    }),
  });
  // Screen readers read the row with the focus; moved at once, so that it does not take the focus from what the next key opens.
  useLayoutEffect(() => {
    body.current?.querySelector<HTMLElement>('.row.at')?.focus({ preventScroll: true });
  }, [cursor.value]);

  return (
    <div class={`table ${name.replaceAll(' ', '-')}`} role="table" aria-label={name} aria-rowcount={rows.length + 1}>
      <div class="row head" role="row" aria-rowindex={1}>
        {onChoose && <span class="cell choose" role="columnheader" aria-label="chosen" />}
        {columns.map((column) => (
          <HeadCell key={column.id} column={column} sortedBy={sortedBy} onSort={onSort} />
        ))}
      </div>
      <div class="rows" role="rowgroup" ref={body} style={{ height: `calc(var(--row) * ${rows.length})` }}>
        {rows.slice(first, last).map((row, index) => {
          const key = keyOf(row);
          const isAt = key === cursor.value;
          const level = levelOf?.(row);
          return (
            <div
              key={key}
              class={`row${isAt ? ' at' : ''}${linkOf ? ' opens' : ''}${level ? ` in-${level}` : ''}`}
              role="row"
              aria-rowindex={first + index + 2}
              tabIndex={isAt ? 0 : -1}
              style={{ top: `calc(var(--row) * ${first + index})` }}
              onClick={(event) => {
                if (!linkOf || (event.target as Element).closest('a,button,input')) return;
                if (String(getSelection()) === '') location.hash = linkOf(row);
              }}
            >
              {onChoose && (
                <span class="cell choose" role="cell">
                  <input
                    type="checkbox"
                    aria-label="choose"
                    checked={chosen?.has(key) ?? false}
                    onChange={() => onChoose(row)}
                  />
                </span>
              )}
              {columns.map((column) => (
                <span key={column.id} class={`cell ${column.id}${column.isNumber ? ' number' : ''}`} role="cell">
                  {column.cell(row)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface HeadCellProps<Row> {
  readonly column: TableColumn<Row>;
  readonly sortedBy: TableProps<Row>['sortedBy'];
  readonly onSort: TableProps<Row>['onSort'] | undefined;
}

function HeadCell<Row>({ column, sortedBy, onSort }: HeadCellProps<Row>) {
  const { id, title, hint, isNumber, sorts } = column;
  const isSorted = sortedBy?.id === id;
  const order = isSorted ? (sortedBy.isDown ? 'descending' : 'ascending') : undefined;
  return (
    <span
      class={`cell ${id}${isNumber ? ' number' : ''}`}
      role="columnheader"
      title={hint}
      {...(order && { 'aria-sort': order })}
    >
      {sorts && onSort ? (
        <button class="sort" onClick={() => onSort(id)}>
          {title}
          {isSorted && <span aria-hidden="true">{sortedBy.isDown ? ' ↓' : ' ↑'}</span>}
        </button>
      ) : (
        title
      )}
    </span>
  );
}
