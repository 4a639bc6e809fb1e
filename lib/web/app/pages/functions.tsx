import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { changes, connection, functions, isComplete, isFrozen, now, reorderings, serverState } from '../state/feed.js';
import { MEANING, TROUBLES, type FunctionRow, type Trouble } from '../state/function-row.js';
import { isRemote } from '../state/me.js';
import { age, count, many, rate } from '../state/numbers.js';
import { linkTo, route, setQuery } from '../state/route.js';
import { useSparks } from '../state/sparks.js';
import { HistoryPlots } from '../ui/history-plots.js';
import { FunctionName, functionLink } from '../ui/names.js';
import { SearchField } from '../ui/search-field.js';
import { HourOf } from '../ui/spark.js';
import { Empty, Loading } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';

const COLUMNS: readonly TableColumn<FunctionRow>[] = [
  {
    id: 'name',
    title: 'Function',
    sorts: true,
    cell: (row) => (
      <>
        <FunctionName name={row.name} name64={row.name64} />
        {row.trouble && <Badge of={row.trouble} />}
      </>
    ),
  },
  number('waiting', 'Waiting', (row) => row.waiting),
  number('high', 'High', (row) => row.get('high'), 'waiting with priority high'),
  number('low', 'Low', (row) => row.get('low'), 'waiting with priority low'),
  number('delayed', 'Delayed', (row) => row.get('delayed'), 'to be run later, or tried again later'),
  number('running', 'Running', (row) => row.get('running')),
  number('workers', 'Workers', (row) => row.get('workers')),
  {
    id: 'oldest',
    title: 'Oldest',
    hint: 'for how long the oldest job waits that a worker could take now',
    isNumber: true,
    sorts: true,
    cell: (row) => ageOf(row.get('oldestAt')),
  },
  {
    id: 'hour',
    title: 'Last hour',
    hint: 'what it has done, minute by minute; red: failed',
    cell: (row) => <HourOf row={row} />,
  },
  flow('in', 'In/s', (row) => row.inPerSecond(now())),
  flow('done', 'Done/s', (row) => row.donePerSecond(now())),
  {
    id: 'failed',
    title: 'Failed',
    hint: 'in the last minute',
    isNumber: true,
    sorts: true,
    cell: (row) => {
      const failed = row.failedLately(now());
      return failed > 0 ? <span class="bad">{count(failed)}</span> : '';
    },
  },
  {
    id: 'dead',
    title: 'Dead',
    hint: 'dead letters: what failed for good',
    isNumber: true,
    sorts: true,
    cell: (row) => {
      const dead = row.get('dead');
      if (dead === 0) return '';
      if (dead === null) return '–';
      return (
        <a class="bad" href={linkTo('dead-letters', '', { function: row.name })}>
          {count(dead)}
        </a>
      );
    },
  },
];

const VALUES: Readonly<Record<string, (row: FunctionRow) => number | string>> = {
  name: (row) => row.label,
  waiting: (row) => row.waiting,
  high: (row) => row.get('high') ?? -1,
  low: (row) => row.get('low') ?? -1,
  delayed: (row) => row.get('delayed') ?? -1,
  running: (row) => row.get('running') ?? -1,
  workers: (row) => row.get('workers') ?? -1,
  oldest: (row) => -(row.get('oldestAt') || Infinity),
  in: (row) => row.inPerSecond(now()),
  done: (row) => row.donePerSecond(now()),
  failed: (row) => row.failedLately(now()),
  dead: (row) => row.get('dead') ?? -1,
};

/** How many functions with the same trouble are named. */
const NAMED = 3;

/** The page of all functions: what is wrong, then the list, functions in trouble first. */
export function FunctionsPage() {
  const { query } = route.value;
  const words = query.get('q') ?? '';
  const sort = query.get('sort') ?? '';
  const rows = useSorted(words, sort);
  const seen = useSignal<readonly FunctionRow[]>([]);
  useSparks(seen.value);
  // Read only to draw again, because rows change in place.
  void changes.value;
  if (!isComplete.value) return <Loading what="functions" />;
  const sortedBy = sort === '' ? undefined : { id: sort.replace('-', ''), isDown: sort.startsWith('-') };
  return (
    <>
      <h1 class="unseen">Functions</h1>
      <Verdict />
      {!isRemote.value && functions.size > 0 && <HistoryPlots />}
      {functions.size === 0 ? (
        <Empty title="No functions yet">
          <p>A function is there as soon as a worker registers it or a job is submitted to it. To try it:</p>
          <pre>npx nestjs-gearman submit --background reverse 'Hello world!'</pre>
        </Empty>
      ) : (
        <>
          <div class="bar">
            <SearchField
              label="Functions whose name has"
              value={words}
              onChange={(q) => setQuery({ q })}
              placeholder="Find functions"
            />
            <span class="faint">
              {words === '' ? many(functions.size, 'function') : `${count(rows.length)} of ${count(functions.size)}`}
              {sort !== '' && (
                <button class="plain" onClick={() => setQuery({ sort: undefined })}>
                  Trouble first
                </button>
              )}
            </span>
          </div>
          {rows.length === 0 ? (
            <Empty title="No function has that in its name" />
          ) : (
            <Table
              name="functions"
              rows={rows}
              columns={COLUMNS}
              keyOf={(row) => row.id}
              linkOf={(row) => functionLink(row)}
              sortedBy={sortedBy}
              onSort={(id) => setQuery({ sort: nextSort(sort, id) })}
              levelOf={(row) => (row.trouble ? levelOf(row.trouble) : undefined)}
              onSeen={(some) => (seen.value = some)}
            />
          )}
        </>
      )}
    </>
  );
}

/** What is wrong, in one line, because it is read first. */
function Verdict() {
  void changes.value;
  const troubles = new Map<Trouble, { count: number; first: FunctionRow[] }>();
  for (const row of functions.values()) {
    if (!row.trouble) continue;
    let seen = troubles.get(row.trouble);
    if (!seen) troubles.set(row.trouble, (seen = { count: 0, first: [] }));
    if (seen.count++ < NAMED) seen.first.push(row);
  }
  const { storageTrouble, isEnding, trouble } = serverState.value;
  const lines = TROUBLES.flatMap((trouble) => {
    const seen = troubles.get(trouble);
    return seen ? [{ trouble, ...seen }] : [];
  });
  if (lines.length === 0) {
    // Every page shows above what is wrong with the job server itself.
    if (storageTrouble || isEnding || trouble || connection.value.state === 'lost') return null;
    return (
      <p class="verdict well" role="status">
        <span aria-hidden="true">✓</span> Nothing is wrong
      </p>
    );
  }
  return (
    <div role="status">
      <ul class="verdict">
        {lines.map(({ trouble, count: number, first }) => (
          <li key={trouble} class={levelOf(trouble)} title={MEANING[trouble]}>
            <strong>
              {count(number)} {trouble}
            </strong>
            {first.map((row) => (
              <FunctionName key={row.id} name={row.name} name64={row.name64} />
            ))}
            {number > NAMED && <span class="faint">and {count(number - NAMED)} more</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Shows what is wrong with a function. */
export function Badge({ of }: { readonly of: Trouble }) {
  return (
    <span class={`badge ${levelOf(of)}`} title={MEANING[of]}>
      {of}
    </span>
  );
}

function levelOf(trouble: Trouble): 'bad' | 'warn' {
  return trouble === 'no workers' || trouble === 'stalled' ? 'bad' : 'warn';
}

/** The rows to show, in order. The sorted list is kept between seconds, because sorting a nearly sorted list is quick. */
function useSorted(words: string, sort: string): readonly FunctionRow[] {
  const kept = useRef<{ rows: FunctionRow[]; made: string; told: number }>({ rows: [], made: '', told: -1 });
  // The order by trouble stays until a row's weight changes.
  const told = sort === '' ? reorderings.value : changes.value;
  const made = `${sort} ${words}`;
  const { current } = kept;
  if (current.made === made && (current.told === told || isFrozen.value)) return current.rows;
  const wanted = words.toLowerCase();
  const isWanted = (row: FunctionRow): boolean =>
    functions.get(row.id) === row && (wanted === '' || row.label.toLowerCase().includes(wanted));
  const before = current.made === made ? current.rows : [];
  const known = new Set(before);
  const rows = before.filter(isWanted);
  for (const row of functions.values()) if (!known.has(row) && isWanted(row)) rows.push(row);
  rows.sort(comparing(sort));
  kept.current = { rows, made, told };
  return rows;
}

function comparing(sort: string): (one: FunctionRow, other: FunctionRow) => number {
  const byName = (one: FunctionRow, other: FunctionRow): number =>
    one.label < other.label ? -1 : one.label > other.label ? 1 : one.id - other.id;
  const column = sort.replace('-', '');
  const value = Object.hasOwn(VALUES, column) ? VALUES[column] : undefined;
  if (!value) return (one, other) => other.weight - one.weight || byName(one, other);
  const sign = sort.startsWith('-') ? -1 : 1;
  return (one, other) => {
    const [a, b] = [value(one), value(other)];
    return a < b ? -sign : a > b ? sign : byName(one, other);
  };
}

/** The order after a click: the first click sorts numbers from the largest, names from A; the second reverses that, the third ends it. */
function nextSort(sort: string, id: string): string | undefined {
  const [first, second] = id === 'name' ? [id, `-${id}`] : [`-${id}`, id];
  return sort === first ? second : sort === second ? undefined : first;
}

function ageOf(since: number | null): string {
  if (since === null) return '–';
  return since === 0 ? '' : age(now() - since);
}

function number(
  id: string,
  title: string,
  value: (row: FunctionRow) => number | null,
  hint?: string,
): TableColumn<FunctionRow> {
  const cell = (row: FunctionRow) => {
    const told = value(row);
    return told === 0 ? <span class="zero">0</span> : count(told);
  };
  return { id, title, isNumber: true, sorts: true, cell, ...(hint !== undefined && { hint }) };
}

function flow(id: string, title: string, value: (row: FunctionRow) => number): TableColumn<FunctionRow> {
  return { id, title, isNumber: true, sorts: true, hint: 'over ten seconds', cell: (row) => rate(value(row)) };
}
