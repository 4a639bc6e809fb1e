import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask } from '../state/api.js';
import { isRemote } from '../state/me.js';
import { about, count, many, size } from '../state/numbers.js';
import type { Job } from '../state/job.js';
import { linkTo, route, server, setQuery } from '../state/route.js';
import { Action, reasonNotTo } from '../ui/action.js';
import { confirmFirst } from '../ui/dialog.js';
import { usePageKeys } from '../ui/keys.js';
import { FunctionName, Text } from '../ui/names.js';
import { oneByOne } from '../ui/one-by-one.js';
import { SearchField } from '../ui/search-field.js';
import { Empty, Failure, Stale } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';
import { useSearch, type Search } from '../ui/use-search.js';
import { Age } from '../ui/when.js';

interface JobsPage {
  readonly jobs: readonly Job[];
  readonly next?: string;
}

const COLUMNS: readonly TableColumn<Job>[] = [
  {
    id: 'handle',
    title: 'Handle',
    cell: ({ handle }) => (
      <a class="mono" href={linkTo('jobs', handle)}>
        <Text of={handle} />
      </a>
    ),
  },
  { id: 'name', title: 'Function', cell: ({ function: name }) => (name === null ? '–' : <FunctionName name={name} />) },
  { id: 'state', title: 'State', cell: (job) => <JobState of={job} /> },
  {
    id: 'unique',
    title: 'Unique',
    cell: ({ unique }) => (unique ? <Text of={unique} /> : <span class="faint">–</span>),
  },
  { id: 'priority', title: 'Priority', cell: ({ priority }) => priority ?? '–' },
  {
    id: 'since',
    title: 'Since',
    isNumber: true,
    cell: ({ startedAt, readyAt }) => <Age since={startedAt ?? readyAt} />,
  },
  {
    id: 'attempts',
    title: 'Tries',
    hint: 'how often it was tried again, and how often its worker was lost',
    isNumber: true,
    cell: ({ attempts, losses }) => count((attempts ?? 0) + (losses ?? 0)),
  },
  { id: 'size', title: 'Size', isNumber: true, cell: (job) => size(job.size) },
];

/** A job's state and progress. */
export function JobState({ of }: { readonly of: Job }) {
  const { state, numerator, denominator } = of;
  const share = denominator > 0 ? Math.min(100, Math.round((numerator / denominator) * 100)) : undefined;
  return (
    <span class={`job-state ${state}`}>
      {state}
      {state === 'running' && share !== undefined && (
        <>
          <progress max={100} value={share} aria-label="progress" /> {share} %
        </>
      )}
    </span>
  );
}

/** The page that searches jobs by their properties and their content. */
export function JobsListPage() {
  const words = route.value.query.get('q') ?? '';
  const first = useSearch(words);
  const more = useSignal<{ readonly jobs: readonly Job[]; readonly next: string | undefined } | undefined>(undefined);
  const chosen = useSignal<ReadonlySet<string | number>>(new Set());
  const isAll = useSignal(false);
  useEffect(() => {
    more.value = undefined;
    chosen.value = new Set();
    isAll.value = false;
  }, [words, server.value]);
  const { error, again } = first;
  const jobs = [...first.jobs, ...(more.value?.jobs ?? [])];
  const unique = [...new Map(jobs.map((job) => [job.handle, job])).values()];
  const next = more.value ? more.value.next : first.next;

  const choose = (handle: string): void => {
    isAll.value = false;
    const now = new Set(chosen.peek());
    if (!now.delete(handle)) now.add(handle);
    chosen.value = now;
  };
  const cancel = (): void => {
    if (reasonNotTo('operate') !== undefined || (!isAll.peek() && chosen.peek().size === 0)) return;
    const handles = isAll.peek() ? undefined : [...chosen.peek()].map(String);
    const found = many(unique.length, 'job');
    const what = handles ? many(handles.length, 'job') : `all jobs that match ${words === '' ? 'anything' : words}`;
    confirmFirst({
      title: `Cancel ${what}?`,
      text: [
        handles ? '' : next === undefined ? `${found} now, and what comes until then. ` : `More than ${found}. `,
        'Those that wait are gone; those that run are not queued again. This cannot be taken back.',
      ],
      yes: `Cancel ${handles ? many(handles.length, 'job') : 'all of them'}`,
      act: async () => {
        const done = handles ? await cancelEach(handles) : await cancelAll(words);
        chosen.value = new Set();
        isAll.value = false;
        again();
        return `${many(done, 'job')} cancelled`;
      },
    });
  };
  usePageKeys({
    a: { does: 'Choose all matches, or none', run: () => ((isAll.value = !isAll.peek()), (chosen.value = new Set())) },
    c: { does: 'Cancel what is chosen', run: cancel },
  });
  const loadMore = async (): Promise<void> => {
    const page = await ask<JobsPage>('GET', 'jobs', { query: { q: words, limit: 1_000, cursor: next } });
    more.value = { jobs: [...(more.peek()?.jobs ?? []), ...page.jobs], next: page.next };
  };

  const chosenCount = isAll.value
    ? `all ${next === undefined ? count(unique.length) : 'matches'}`
    : count(chosen.value.size);
  const isAnyChosen = isAll.value || chosen.value.size > 0;
  return (
    <>
      <h1 class="unseen">Jobs</h1>
      <div class="bar">
        <SearchField
          label="Search jobs"
          placeholder="Search jobs: words in the workload, or as below"
          value={words}
          delay={350}
          onChange={(q) => setQuery({ q })}
        />
        <Progress of={first} found={unique.length} hasMore={next !== undefined} />
        <span class="actions">
          <Action
            label={isAnyChosen ? `Cancel ${chosenCount}…` : 'Cancel…'}
            role="operate"
            hotkey="c"
            isDestructive
            whyNot={isAnyChosen ? undefined : 'Choose jobs first: x one, a all matches.'}
            run={cancel}
          />
        </span>
      </div>
      <p class="hints faint">
        <code>function:mail.send</code> <SearchHint text="state:running" /> <SearchHint text="priority:high" />{' '}
        <SearchHint text="age>5m" /> <SearchHint text="attempts>0" /> <code>unique:…</code> <code>handle:…</code>{' '}
        <code>user.id:42</code> in JSON, <code>hex:00ff</code>, or any words
      </p>
      {unique.length > 0 ? (
        <Stale error={error} onRetry={again} />
      ) : (
        error !== undefined && <Failure error={error} onRetry={again} />
      )}
      {first.isOver && error === undefined && unique.length === 0 && (
        <Empty title={words === '' ? 'No jobs wait or run' : 'No job matches'}>
          <p>Jobs that are over are not searched; how the last ones ended is on the page of their function.</p>
        </Empty>
      )}
      {unique.length > 0 && (
        <Table
          name="jobs"
          rows={unique}
          columns={COLUMNS}
          keyOf={({ handle }) => handle}
          linkOf={({ handle }) => linkTo('jobs', handle)}
          chosen={isAll.value ? new Set(unique.map(({ handle }) => handle)) : chosen.value}
          onChoose={({ handle }) => choose(handle)}
        />
      )}
      {next !== undefined && (
        <p class="more">
          <button onClick={() => void loadMore()}>Show 1,000 more</button>
        </p>
      )}
    </>
  );
}

interface ProgressProps {
  readonly of: Search;
  readonly found: number;
  readonly hasMore: boolean;
}

/** The progress of the search. */
function Progress({ of: { scanned, total, isOver, error }, found, hasMore }: ProgressProps) {
  if (error !== undefined) return null;
  return (
    <span class="faint" role="status">
      {many(found, 'job')}
      {hasMore && ' and more'}, {isOver ? `${count(scanned)} scanned` : `scanned ${about(scanned)} of ${about(total)}`}{' '}
      {!isOver && <progress max={Math.max(1, total)} value={Math.min(scanned, total)} aria-label="searched" />}
    </span>
  );
}

function SearchHint({ text }: { readonly text: string }) {
  const { query } = route.value;
  const words = query.get('q') ?? '';
  return (
    <a class="hint" href={linkTo('jobs', '', { q: words.includes(text) ? words : `${words} ${text}`.trim() })}>
      <code>{text}</code>
    </a>
  );
}

function cancelEach(handles: readonly string[]): Promise<number> {
  return oneByOne(handles, (handle) => ask('DELETE', `jobs/${encodeURIComponent(handle)}`));
}

/** Cancels all jobs that match, also those that are not on the page. */
async function cancelAll(words: string): Promise<number> {
  if (!isRemote.value) return (await ask<{ done: number }>('POST', 'jobs/cancel', { json: { q: words } })).done;
  const { jobs } = await ask<JobsPage>('GET', 'jobs', { query: { q: words, limit: 1_000 } });
  return cancelEach(jobs.map(({ handle }) => handle));
}
