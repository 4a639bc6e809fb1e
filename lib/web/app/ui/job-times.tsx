import type { ComponentChildren } from 'preact';
import { isRemote } from '../state/me.js';
import type { Job } from '../state/job.js';
import { duration } from '../state/numbers.js';
import { bytesIn, readableBytes, type BytesInJson } from '../state/readable.js';
import { Text } from './names.js';
import { useAnswer } from './use-answer.js';
import { Age, Moment } from './when.js';

/** A run of a job, after it has ended. */
interface Run {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: string;
  readonly worker: string;
  readonly error?: BytesInJson;
}

interface Times {
  readonly acceptedAt?: string;
  readonly runs: readonly Run[];
}

/** How often it is asked for while the job goes on, in milliseconds. */
const INTERVAL = 2_000;

const OUTCOMES: Readonly<Record<string, string>> = { lost: 'worker lost', timedOut: 'took too long' };

interface JobTimesProps {
  readonly handle: string;
  /** The job; undefined when it is over. */
  readonly job: Job | undefined;
  /** How often it ran in vain at least. */
  readonly inVain: number;
}

/** What happened to a job, and when: its acceptance, each run with its outcome, and what it does now. */
export function JobTimes({ handle, job, inVain }: JobTimesProps) {
  const path = isRemote.value ? undefined : `jobs/${encodeURIComponent(handle)}/times`;
  const { data } = useAnswer<Times>(path, { state: job?.state }, job ? INTERVAL : 0);
  if (!data) return null;
  const { acceptedAt, runs } = data;
  const areSomeForgotten = runs.filter(({ outcome }) => outcome !== 'completed').length < inVain;
  const ready = job?.readyAt;
  // A job that could run at once was ready when it was accepted.
  const wasReadyLater = ready !== undefined && Math.abs(Date.parse(ready) - Date.parse(acceptedAt ?? '')) >= 1_000;
  if (acceptedAt === undefined && ready === undefined && runs.length === 0) return null;
  return (
    <section class="card">
      <h2>When</h2>
      <ol class="lines">
        {acceptedAt !== undefined && <Line at={acceptedAt}>accepted</Line>}
        {ready !== undefined && (acceptedAt === undefined || wasReadyLater) && <Line at={ready}>could be taken</Line>}
        {areSomeForgotten && <li class="faint">Its first runs are not remembered any more.</li>}
        {runs.map((run, index) => (
          <RunLine key={index} of={run} title={areSomeForgotten ? 'a run' : `run ${index + 1}`} />
        ))}
        {job?.startedAt !== undefined && (
          <Line at={job.startedAt}>
            runs now, for <Age since={job.startedAt} />
            {job.worker !== undefined && (
              <>
                , at <Text of={job.worker} />
              </>
            )}
          </Line>
        )}
      </ol>
    </section>
  );
}

function RunLine({ of, title }: { readonly of: Run; readonly title: string }) {
  const { startedAt, endedAt, outcome, worker, error } = of;
  const reason = bytesIn(error);
  const took = Date.parse(endedAt) - Date.parse(startedAt);
  return (
    <Line at={startedAt}>
      {title}, at <Text of={worker} />,{' '}
      <span class={outcome === 'completed' ? 'well' : 'bad'}>{OUTCOMES[outcome] ?? outcome}</span> after{' '}
      {duration(took)}
      {took >= 1_000 && (
        <>
          , at <Moment at={endedAt} />
        </>
      )}
      {reason && outcome !== 'lost' && outcome !== 'timedOut' && (
        <>
          : <span class="text">{readableBytes(reason)}</span>
        </>
      )}
    </Line>
  );
}

function Line({ at, children }: { readonly at: string; readonly children: ComponentChildren }) {
  return (
    <li>
      <span class="faint">
        <Moment at={at} />
      </span>
      <span class="what">{children}</span>
    </li>
  );
}
