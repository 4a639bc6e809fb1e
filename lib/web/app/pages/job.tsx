import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { addressOf, ask, Problem, send } from '../state/api.js';
import { isRemote, may } from '../state/me.js';
import { count, duration, size, timeOfDay } from '../state/numbers.js';
import { bytesIn, type BytesInJson } from '../state/readable.js';
import { route } from '../state/route.js';
import { Action, reasonNotTo } from '../ui/action.js';
import { Bytes, FetchedBytes } from '../ui/bytes.js';
import { confirmFirst, perform } from '../ui/dialog.js';
import { Facts } from '../ui/facts.js';
import { usePageKeys } from '../ui/keys.js';
import { JobTimes } from '../ui/job-times.js';
import { FunctionName, Text } from '../ui/names.js';
import { Empty, Failure, Loading } from '../ui/states.js';
import { submitTo } from '../ui/submit-dialog.js';
import { useAnswer } from '../ui/use-answer.js';
import { Age, Moment, When } from '../ui/when.js';
import type { Job } from '../state/job.js';
import type { DeadLetter } from './dead-letters.js';

interface EndedJob {
  readonly handle: string;
  readonly state: 'complete' | 'failed';
}

interface RecentJob {
  readonly handle: string;
  readonly function: string;
  readonly outcome: string;
  readonly endedAt: string;
  readonly ranSeconds?: number;
  readonly worker?: string;
  readonly workload?: BytesInJson;
  readonly error?: BytesInJson;
}

/** What has happened to a job since its page was opened. */
interface Heard {
  readonly at: Date;
  readonly what: string;
  readonly bytes?: Uint8Array;
}

/** How many of these events are kept. */
const MAX_HEARD = 200;

/** The page of one job: its state, its content, its outcome. */
export function JobPage() {
  const handle = route.value.id;
  const path = `jobs/${encodeURIComponent(handle)}`;
  const live = useAnswer<Job | EndedJob>(path, {}, 1_000);
  const isGone = live.error instanceof Problem && live.error.status === 404;
  const known = isGone ? undefined : live.data;
  // A dead letter is no longer a job; if results are kept, it looks like a job that failed.
  const mayBeDead = isGone || (known !== undefined && !('clients' in known) && known.state === 'failed');
  const dead = useAnswer<DeadLetter>(
    mayBeDead && !isRemote.value ? `dead-letters/${encodeURIComponent(handle)}` : undefined,
  );
  const heard = useHeard(handle, known !== undefined && 'clients' in known);
  const job = known && 'clients' in known ? known : undefined;
  const ended = known && !('clients' in known) ? known : undefined;
  const again = live.again;
  const name = job?.function ?? dead.data?.function;

  const cancel = (): void => {
    if (!job || reasonNotTo('operate') !== undefined) return;
    confirmFirst({
      title: `Cancel ${handle}?`,
      text: job.state === 'running' ? 'It runs: its worker goes on, and it is not queued again.' : 'It is gone then.',
      yes: 'Cancel the job',
      act: async () => {
        const { status } = await send('DELETE', path);
        again();
        return status === 202 ? 'It runs on, and will not be queued again' : `${handle} is cancelled`;
      },
    });
  };
  const runNow = (): void => {
    void perform(async () => {
      await ask('POST', `${path}/run-now`);
      again();
      return `${handle} waits for a worker now`;
    });
  };
  const replay = (): void => {
    if (!dead.data || reasonNotTo('operate') !== undefined) return;
    void perform(async () => {
      await ask('POST', `dead-letters/${encodeURIComponent(handle)}/replay`);
      again();
      return `${handle} waits again`;
    });
  };
  const submitAgain = (): void => {
    if (name === undefined || name === null || reasonNotTo('submit') !== undefined) return;
    void (async () => submitTo({ name, workload: await (await send('GET', `${path}/workload`)).blob() }))();
  };
  usePageKeys({
    c: { does: 'Cancel the job', run: cancel },
    r: { does: 'Replay the dead letter', run: replay },
    s: { does: 'Submit the same again', run: submitAgain },
  });

  return (
    <>
      <header class="page">
        <h1>
          <span class="mono">
            <Text of={handle} />
          </span>{' '}
          {job && <span class={`badge ${job.state}`}>{job.state}</span>}
          {ended && !dead.data && (
            <span class={`badge ${ended.state === 'failed' ? 'bad' : 'well'}`}>{ended.state}</span>
          )}
          {dead.data && <span class="badge bad">dead letter</span>}
        </h1>
        <span class="actions">
          {job?.state === 'delayed' && <Action label="Run now" role="operate" isOnlyHere run={runNow} />}
          {dead.data && <Action label="Replay" role="operate" hotkey="r" run={replay} />}
          {(job ?? dead.data) && <Action label="Submit again…" role="submit" hotkey="s" isOnlyHere run={submitAgain} />}
          {job && <Action label="Cancel…" role="operate" hotkey="c" isDestructive run={cancel} />}
        </span>
      </header>
      {job && <JobFacts of={job} />}
      {dead.data && <DeadFacts of={dead.data} />}
      <JobTimes handle={handle} job={job} inVain={inVainOf(job ?? dead.data)} />
      {!live.data && !live.error && <Loading what="the job" />}
      {!known && live.error !== undefined && !isGone && <Failure error={live.error} onRetry={again} />}
      {(isGone || ended) && !dead.data && <Over handle={handle} isKept={ended !== undefined} />}
      {may('inspect') && !isRemote.value && (job ?? dead.data) && (
        <FetchedBytes
          title="Workload"
          path={`${path}/workload`}
          length={job?.size ?? null}
          fileName={fileNameOf(handle, 'workload')}
        />
      )}
      {ended && !dead.data && may('inspect') && (
        <FetchedBytes
          title={ended.state === 'complete' ? 'Result' : 'Why'}
          path={`${path}/result`}
          length={null}
          fileName={fileNameOf(handle, 'result')}
        />
      )}
      {!may('inspect') && (job ?? dead.data) && <p class="faint">What is in it is shown to the role inspect.</p>}
      {heard.length > 0 && <HeardList of={heard} />}
    </>
  );
}

function JobFacts({ of: job }: { readonly of: Job }) {
  const since = job.state === 'running' ? job.startedAt : job.readyAt;
  return (
    <>
      {job.denominator > 0 && <Journey of={job} />}
      <Facts
        of={[
          ['function', job.function === null ? '–' : <FunctionName name={job.function} />],
          ['unique', job.unique ? <Text of={job.unique} /> : '–'],
          ['priority', job.priority ?? '–'],
          ['submitted', job.isBackground === null ? '–' : job.isBackground ? 'in the background' : 'in the foreground'],
          ['clients that wait', count(job.clients)],
          job.state === 'running'
            ? ['runs for', <Age since={since} />]
            : ['waits for', since === undefined ? '–' : <Age since={since} />],
          ['since', since === undefined ? '–' : <Moment at={since} />],
          ['worker', job.worker ? <Text of={job.worker} /> : '–'],
          ['tried again', count(job.attempts)],
          ['workers lost', count(job.losses)],
          ['size', size(job.size)],
        ]}
      />
    </>
  );
}

/** How often it ran in vain at least. A lost job that a policy lets run again is counted both as a loss and as an attempt. */
function inVainOf(of: Job | DeadLetter | undefined): number {
  return Math.max(of?.attempts ?? 0, of?.losses ?? 0);
}

/** A job's progress, as its worker reported it. */
function Journey({ of: { numerator, denominator } }: { readonly of: Job }) {
  return (
    <p class="journey">
      <progress max={denominator} value={numerator} aria-label="progress" />
      <span>
        {count(numerator)} of {count(denominator)}
      </span>
    </p>
  );
}

function DeadFacts({ of: letter }: { readonly of: DeadLetter }) {
  return (
    <>
      <Facts
        of={[
          ['function', <FunctionName name={letter.function} />],
          ['died', <When at={letter.diedAt} />],
          ['unique', letter.unique ? <Text of={letter.unique} /> : '–'],
          ['tried again', count(letter.attempts)],
          ['workers lost', count(letter.losses)],
        ]}
      />
      <section class="card">
        <h2>Why</h2>
        <Text of={letter.error || (may('inspect') ? 'It was not said.' : 'Shown to the role inspect.')} class="wraps" />
      </section>
    </>
  );
}

/** A job that is over and of which nothing is kept; perhaps its end is still remembered. */
function Over({ handle, isKept }: { readonly handle: string; readonly isKept: boolean }) {
  const here = isRemote.value ? undefined : 'history/jobs';
  const failed = useAnswer<{ jobs: readonly RecentJob[] }>(here, { outcome: 'failed', handle });
  const completed = useAnswer<{ jobs: readonly RecentJob[] }>(here, { outcome: 'completed', handle });
  const found = failed.data?.jobs[0] ?? completed.data?.jobs[0];
  if (!found && isKept) return null;
  if (!found) {
    return (
      <Empty title="There is no such job now">
        <p>
          It is over, or it never was. How jobs end is remembered for the last ones; results are kept where the job
          server keeps them (--keep-results).
        </p>
      </Empty>
    );
  }
  const [workload, reason] = [bytesIn(found.workload), bytesIn(found.error)];
  return (
    <>
      <Facts
        of={[
          ['function', <FunctionName name={found.function} />],
          ['ended', <span class={found.outcome === 'completed' ? '' : 'bad'}>{found.outcome}</span>],
          ['when', <When at={found.endedAt} />],
          ['at', <Moment at={found.endedAt} />],
          ['ran for', found.ranSeconds === undefined ? '–' : duration(found.ranSeconds * 1_000)],
          ['worker', found.worker ? <Text of={found.worker} /> : '–'],
        ]}
      />
      {!isKept && reason && reason.length > 0 && <Bytes title="Why, the first 1 kB" bytes={reason} />}
      {workload && <Bytes title="Workload, the first 512 bytes" bytes={workload} />}
    </>
  );
}

function HeardList({ of }: { readonly of: readonly Heard[] }) {
  return (
    <section class="card">
      <h2>Since this page is open</h2>
      <ul class="lines">
        {of.map(({ at, what, bytes }, index) => (
          <li key={index}>
            <span class="faint">{timeOfDay(at)}</span>
            <span>{what}</span>
            {bytes && bytes.length > 0 && <Text of={new TextDecoder().decode(bytes.subarray(0, 300))} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The events of a job. Watching does not count as waiting: the job can be cancelled. */
function useHeard(handle: string, isThere: boolean): readonly Heard[] {
  const heard = useSignal<readonly Heard[]>([]);
  const isWatched = isThere && may('inspect') && !isRemote.value;
  useEffect(() => {
    if (!isWatched) return;
    const stream = new EventSource(addressOf(`jobs/${encodeURIComponent(handle)}/events`));
    const keep = (what: string, bytes?: Uint8Array): void => {
      heard.value = [{ at: new Date(), what, ...(bytes && { bytes }) }, ...heard.peek()].slice(0, MAX_HEARD);
    };
    const on = (name: string, what: (data: BytesInJson & Record<string, unknown>) => string): void =>
      stream.addEventListener(name, (event) => {
        const data = JSON.parse(event.data as string) as BytesInJson & Record<string, unknown>;
        keep(what(data), bytesIn(data));
      });
    on('started', () => 'a worker took it');
    on('requeued', () => 'it waits again');
    on('data', () => 'data');
    on('warning', () => 'warning');
    on('complete', () => 'complete');
    on('fail', ({ outcome }) => String(outcome));
    // The job was over, or nobody answers: the page asks for the job anyway.
    for (const last of ['complete', 'fail']) stream.addEventListener(last, () => stream.close());
    stream.onerror = () => stream.close();
    return () => stream.close();
  }, [handle, isWatched]);
  return heard.value;
}

function fileNameOf(handle: string, what: string): string {
  return `${handle.replaceAll(/[^\w.-]+/g, '-')}.${what}`;
}
