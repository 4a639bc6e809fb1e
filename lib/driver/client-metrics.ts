import type { GearmanError } from '../ground/index.js';
import type { ByteString } from '../protocol/index.js';
import {
  FunctionNames,
  Log2Histogram,
  MetricSet,
  type MetricFamily,
  type MetricLabels,
} from '../telemetry/metrics/index.js';
import { JobExceptionError, JobFailedError, ServerError } from './errors.js';
import { tellServers, type ServerStates } from './worker-metrics.js';

/** How many functions have metrics of their own; an application may invent names without end. */
const MAX_FUNCTIONS = 200;

/** How a submission ended for this process. */
export type SubmissionOutcome = 'complete' | 'failed' | 'timeout' | 'lost';

const OUTCOMES: readonly SubmissionOutcome[] = ['complete', 'failed', 'timeout', 'lost'];
const MODES = ['foreground', 'background'] as const;

/** The counts of submissions of one function, or of all functions beyond {@link MAX_FUNCTIONS}. */
export class SubmissionStats {
  readonly foreground: Record<SubmissionOutcome, number> = { complete: 0, failed: 0, timeout: 0, lost: 0 };
  readonly background: Record<SubmissionOutcome, number> = { complete: 0, failed: 0, timeout: 0, lost: 0 };
  /** From the submission to its JOB_CREATED, in milliseconds. */
  readonly created = new Log2Histogram();
  /** From the submission to the end of a foreground job, in milliseconds. */
  readonly ended = new Log2Histogram();

  constructor(readonly labels: MetricLabels) {}
}

/** How a client's submissions ended, by function. */
export class ClientMetrics {
  private readonly names = new FunctionNames(MAX_FUNCTIONS);
  private readonly byFunction = new Map<ByteString, SubmissionStats>();
  private readonly others = new SubmissionStats(FunctionNames.other);

  /** The counts of a function. */
  of(name: ByteString): SubmissionStats {
    const known = this.byFunction.get(name);
    if (known) return known;
    if (this.names.room <= 0) return this.others;
    const stats = new SubmissionStats(this.names.keep(name));
    this.byFunction.set(name, stats);
    return stats;
  }

  /** All metrics; `resubmitted` is how many submissions were sent again because their job server was lost. */
  metrics(states: ServerStates, resubmitted: number): MetricFamily[] {
    const set = new MetricSet('client');
    for (const stats of this.byFunction.values()) tellSubmissions(set, stats);
    if (this.names.room <= 0) tellSubmissions(set, this.others);
    tellServers(states, (server, isConnected) => set.add('client_connected', isConnected, { server }));
    set.add('client_resubmitted_total', resubmitted);
    return set.families();
  }
}

function tellSubmissions(set: MetricSet, stats: SubmissionStats): void {
  for (const mode of MODES) {
    for (const outcome of OUTCOMES) {
      set.add('client_jobs_total', stats[mode][outcome], { ...stats.labels, mode, outcome });
    }
  }
  set.addHistogram('client_created_seconds', stats.created.value(), stats.labels);
  set.addHistogram('client_job_seconds', stats.ended.value(), stats.labels);
}

/** What an error means for a submission: the job failed or was refused, or its fate is unknown. */
export function outcomeOf(error: GearmanError): SubmissionOutcome {
  const isAnswer =
    error instanceof JobFailedError || error instanceof JobExceptionError || error instanceof ServerError;
  return isAnswer ? 'failed' : 'lost';
}
