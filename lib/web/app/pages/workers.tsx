import { useRef } from 'preact/hooks';
import { ask } from '../state/api.js';
import { count, many, rate } from '../state/numbers.js';
import { linkTo, route, setQuery } from '../state/route.js';
import { Action } from '../ui/action.js';
import { confirmFirst, perform } from '../ui/dialog.js';
import { readable } from '../state/readable.js';
import { FunctionName, Text } from '../ui/names.js';
import { SearchField } from '../ui/search-field.js';
import { Empty, Failure, Loading, Stale } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';
import { useAnswer } from '../ui/use-answer.js';
import { Age } from '../ui/when.js';

/** A job that a worker runs. */
interface RunningJob {
  readonly handle: string;
  readonly function: string;
  readonly startedAt: string;
}

/** A connection that registered functions. */
export interface Worker {
  readonly id: number;
  readonly clientId: string;
  readonly address: string;
  readonly functions: readonly string[];
  readonly running: number | null;
  /** The jobs that it got first. */
  readonly jobs: readonly RunningJob[] | null;
  readonly done: number | null;
  readonly connectedSince: string | null;
  readonly isQuiet: boolean | null;
}

/** The page of workers: who is connected, what they do, and how to stop them. */
export function WorkersPage() {
  const words = route.value.query.get('q') ?? '';
  const { data, error, again } = useAnswer<{ workers: readonly Worker[] }>('workers', {}, 2_000);
  const flow = useFlow(data?.workers);
  if (!data) return error ? <Failure error={error} onRetry={again} /> : <Loading what="workers" />;
  const wanted = words.toLowerCase();
  const workers = data.workers.filter(({ clientId, address, functions }) =>
    [clientId, address, ...functions].some((text) => text.toLowerCase().includes(wanted)),
  );
  return (
    <>
      <h1 class="unseen">Workers</h1>
      <div class="bar">
        <SearchField
          label="Workers whose name, address or function has"
          placeholder="Find workers by name, address or function"
          value={words}
          onChange={(q) => setQuery({ q })}
        />
        <span class="faint">
          {many(workers.length, 'worker')}, {many(sumOf(workers), 'job')} running
        </span>
      </div>
      <Stale error={error} onRetry={again} />
      {data.workers.length === 0 ? (
        <Empty title="Nobody works here">
          <p>A worker is there once its connection registers a function.</p>
        </Empty>
      ) : workers.length === 0 ? (
        <Empty title="No worker has that in its name, address or functions" />
      ) : (
        <Table name="workers" rows={workers} columns={columnsOf(flow, again)} keyOf={({ id }) => id} />
      )}
    </>
  );
}

function columnsOf(flow: ReadonlyMap<number, number>, again: () => void): readonly TableColumn<Worker>[] {
  return [
    {
      id: 'name',
      title: 'Worker',
      cell: ({ clientId, address, isQuiet }) => (
        <>
          <Text of={clientId === '-' || clientId === '' ? address : clientId} class="name" />
          {isQuiet && (
            <span class="badge warn" title="It gets no more jobs.">
              quiet
            </span>
          )}
        </>
      ),
    },
    { id: 'address', title: 'Address', cell: ({ address }) => <Text of={address} /> },
    {
      id: 'does',
      title: 'Functions',
      cell: ({ functions }) => (
        <span class="list" title={functions.map(readable).join(', ')}>
          {functions.slice(0, 4).map((name) => (
            <FunctionName key={name} name={name} />
          ))}
          {functions.length > 4 && <span class="faint">and {count(functions.length - 4)} more</span>}
        </span>
      ),
    },
    { id: 'running', title: 'Running', isNumber: true, cell: ({ running }) => count(running) },
    { id: 'jobs', title: 'Runs longest', cell: (worker) => <LongestJob of={worker} /> },
    { id: 'done', title: 'Done', isNumber: true, cell: ({ done }) => count(done) },
    { id: 'flow', title: 'Done/s', isNumber: true, cell: ({ id }) => rate(flow.get(id) ?? 0) },
    {
      id: 'since',
      title: 'Here for',
      isNumber: true,
      cell: ({ connectedSince }) => <Age since={connectedSince} />,
    },
    {
      id: 'acts',
      title: '',
      cell: (worker) => (
        <span class="actions">
          <Action
            label={worker.isQuiet ? 'Wake' : 'Quiet'}
            role="operate"
            isOnlyHere
            run={() => quiet(worker, again)}
          />
          <Action label="Disconnect…" role="operate" isOnlyHere isDestructive run={() => disconnect(worker, again)} />
        </span>
      ),
    },
  ];
}

/** The job that a worker has run for longest; there is no room for further ones in a row. */
function LongestJob({ of: { jobs } }: { readonly of: Worker }) {
  if (!jobs) return <>–</>;
  const [longest] = jobs;
  if (!longest) return null;
  return (
    <span class="longest" title={jobs.map(({ handle, function: name }) => `${handle} ${readable(name)}`).join('\n')}>
      <a class="mono" href={linkTo('jobs', longest.handle)}>
        <Text of={longest.handle} />
      </a>
      <Age since={longest.startedAt} />
    </span>
  );
}

/** How many jobs a second each worker has done between two answers. */
function useFlow(workers: readonly Worker[] | undefined): ReadonlyMap<number, number> {
  const last = useRef<{ workers: typeof workers; at: number; flow: ReadonlyMap<number, number> }>({
    workers: undefined,
    at: 0,
    flow: new Map(),
  });
  const { current } = last;
  if (workers === current.workers || !workers) return current.flow;
  const at = performance.now();
  const before = new Map(current.workers?.map(({ id, done }) => [id, done]));
  const seconds = (at - current.at) / 1_000;
  const flow = new Map(workers.map(({ id, done }) => [id, ((done ?? 0) - (before.get(id) ?? done ?? 0)) / seconds]));
  last.current = { workers, at, flow };
  return flow;
}

function quiet({ id, clientId, isQuiet }: Worker, again: () => void): void {
  void perform(async () => {
    await ask(isQuiet ? 'DELETE' : 'POST', `workers/${id}/quiet`);
    again();
    return isQuiet
      ? `${readable(clientId)} gets jobs again`
      : `${readable(clientId)} finishes what it runs and gets no more`;
  });
}

function disconnect({ id, clientId, running }: Worker, again: () => void): void {
  confirmFirst({
    title: `Close the connection of ${readable(clientId)}?`,
    text: `${many(running ?? 0, 'job')} that it runs will wait again, in their old places. It may connect again at once.`,
    yes: 'Disconnect it',
    act: async () => {
      await ask('DELETE', `workers/${id}`);
      again();
      return `${readable(clientId)} is disconnected`;
    },
  });
}

function sumOf(workers: readonly Worker[]): number {
  return workers.reduce((sum, { running }) => sum + (running ?? 0), 0);
}
