import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { addressOf } from '../state/api.js';
import { isFrozen } from '../state/feed.js';
import { isRemote, may, me } from '../state/me.js';
import { count, timeOfDay } from '../state/numbers.js';
import { linkTo, route, server, setQuery } from '../state/route.js';
import { FunctionName, Text } from '../ui/names.js';
import { SearchField } from '../ui/search-field.js';
import { Empty } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';

/** An event, as a line. */
interface Line {
  readonly id: number;
  readonly at: Date;
  readonly happened: string;
  readonly handle?: string;
  readonly function?: string;
  /** Who did it, or whom it is about. */
  readonly who?: string;
  /** The text that the search looks in. */
  readonly words: string;
}

/** How many lines are kept. */
const MAX_LINES = 1_000;

/** How often lines are drawn, in milliseconds, because nobody reads faster; lines that come in between are drawn together. */
const REDRAW = 250;

const COLUMNS: readonly TableColumn<Line>[] = [
  { id: 'at', title: 'When', cell: ({ at }) => <time dateTime={at.toISOString()}>{timeOfDay(at)}</time> },
  {
    id: 'happened',
    title: 'What',
    cell: ({ happened }) => <span class={`happened ${happened}`}>{WORDS[happened] ?? happened}</span>,
  },
  {
    id: 'name',
    title: 'Function',
    cell: ({ function: name }) => (name === undefined ? '' : <FunctionName name={name} />),
  },
  {
    id: 'handle',
    title: 'Job',
    cell: ({ handle }) =>
      handle === undefined ? (
        ''
      ) : (
        <a class="mono" href={linkTo('jobs', handle)}>
          <Text of={handle} />
        </a>
      ),
  },
  { id: 'who', title: 'Who', cell: ({ who }) => (who === undefined ? '' : <Text of={who} />) },
];

const WORDS: Readonly<Record<string, string>> = { workerJoined: 'worker joined', workerLeft: 'worker left' };

/** The page of events as they happen. */
export function TailPage() {
  const words = route.value.query.get('q') ?? '';
  const { lines, missed, error } = useTail();
  if (isRemote.value) {
    return (
      <Empty title="This job server cannot tell">
        <p>Over Gearman’s own protocol nobody hears what happens to jobs of others.</p>
      </Empty>
    );
  }
  const wanted = words.toLowerCase();
  const shown = lines.filter(({ words: text }) => text.includes(wanted));
  return (
    <>
      <h1 class="unseen">Tail</h1>
      <div class="bar">
        <SearchField
          label="What happened with these words"
          placeholder="Only lines that have: a function, a handle, completed…"
          value={words}
          onChange={(q) => setQuery({ q })}
        />
        <span class="faint">
          the last {count(shown.length)}
          {missed > 0 && `, and ${count(missed)} more that came too fast`}
        </span>
        <span class="actions">
          <button onClick={() => (isFrozen.value = !isFrozen.peek())}>{isFrozen.value ? 'Go on' : 'Freeze'}</button>
        </span>
      </div>
      {error && <p class="bad">{error}</p>}
      {shown.length === 0 ? (
        <Empty title={lines.length === 0 ? 'Nothing has happened yet' : 'Nothing of that has happened'}>
          <p>Jobs and workers are told here from now on, up to 200 lines a second.</p>
        </Empty>
      ) : (
        <Table name="tail" rows={shown} columns={COLUMNS} keyOf={({ id }) => id} />
      )}
    </>
  );
}

function useTail(): { lines: readonly Line[]; missed: number; error: string | undefined } {
  const lines = useSignal<readonly Line[]>([]);
  const missed = useSignal(0);
  const error = useSignal<string | undefined>(undefined);
  const fresh = useRef<Line[]>([]);
  const lastId = useRef(0);
  const canAudit = may('operate') && me.value!.isForAll;
  const isOn = me.value !== undefined && !isRemote.value && !isFrozen.value;
  useEffect(() => {
    if (!isOn) return;
    const stream = new EventSource(addressOf('events', { topics: canAudit ? 'jobs,workers,audit' : 'jobs,workers' }));
    const on = (name: string, lineOf: (data: Readonly<Record<string, unknown>>) => Omit<Line, 'id' | 'at' | 'words'>) =>
      stream.addEventListener(name, (event) => {
        const data = JSON.parse(event.data as string) as Readonly<Record<string, unknown>>;
        const line = lineOf(data);
        const text = Object.values(line).join(' ').toLowerCase();
        fresh.current.push({ ...line, id: ++lastId.current, at: new Date(String(data['at'])), words: text });
      });
    on('job', ({ happened, handle, function: name, worker }) => ({
      happened: String(happened),
      handle: String(handle),
      function: String(name),
      ...(worker !== undefined && { who: String(worker) }),
    }));
    on('worker', ({ happened, clientId }) => ({ happened: String(happened), who: String(clientId) }));
    on('audit', ({ who, action, target, count: number }) => ({
      happened: String(action),
      who: `${who === '-' ? 'somebody' : who}: ${target}${number === 1 ? '' : ` (${count(Number(number))})`}`,
    }));
    stream.addEventListener('missed', (event) => {
      missed.value += (JSON.parse(event.data as string) as { count: number }).count;
    });
    stream.onopen = () => (error.value = undefined);
    stream.onerror = () => {
      error.value = 'The connection is lost; what happens meanwhile is not seen here.';
    };
    const timer = setInterval(() => {
      if (fresh.current.length === 0) return;
      lines.value = [...fresh.current.reverse(), ...lines.peek()].slice(0, MAX_LINES);
      fresh.current = [];
    }, REDRAW);
    return () => {
      stream.close();
      clearInterval(timer);
    };
  }, [isOn, canAudit, server.value]);
  return { lines: lines.value, missed: missed.value, error: error.value };
}
