/** What is known about a job when its span begins. */
export interface TracedJob {
  readonly function: string;
  readonly handle: string;
  /** Which attempt this is; undefined if the job server does not tell. */
  readonly attempt: number | undefined;
  /**
   * How it was submitted: `delayed` is a background job with a time, `replayed` a dead letter that waits again.
   * Undefined if its client does not trace.
   */
  readonly mode: JobMode | undefined;
}

/** How a job was submitted. */
export type JobMode = 'foreground' | 'background' | 'delayed' | 'replayed';

/** Whether a `process` span is the child of the span that submitted its job; it links to that span in any case. */
export type TraceRelation = 'child' | 'link';

/** Options of the spans that clients and strategies write if `@opentelemetry/api` is installed. */
export interface TracingOptions {
  /**
   * Whether a `process` span is a child of its `submit` span, or begins a trace of
   * its own. Default: a child if the caller waits, or if it is the first attempt
   * at a background job without a time; otherwise not.
   */
  relation?: TraceRelation | ((job: TracedJob) => TraceRelation);
  /**
   * Whether a failure makes the span's status ERROR. `failure` is what the caller
   * is told, or the `GearmanError`. Default: true for every failure except an
   * `RpcException` of the handler.
   */
  isError?: (failure: unknown) => boolean;
  /** Whether spans have `gearman.job.unique`. Default false, because a unique may be private data. */
  unique?: boolean;
  /** Whether spans have `messaging.message.body.size`. Default false. */
  bodySize?: boolean;
}

const CHECKS: { readonly [Option in keyof Required<TracingOptions>]: (value: unknown) => boolean } = {
  relation: (value) => value === 'child' || value === 'link' || typeof value === 'function',
  isError: (value) => typeof value === 'function',
  unique: (value) => typeof value === 'boolean',
  bodySize: (value) => typeof value === 'boolean',
};

/** The rule of the option `tracing`. */
export const TRACING_RULE = {
  test: (value: unknown): boolean => value === false || isTracingOptions(value),
  allowed: "false, or an object of relation ('child', 'link', a function), isError (a function), unique and bodySize",
};

function isTracingOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([name, option]) => {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof TracingOptions] : undefined;
    return check !== undefined && (option === undefined || check(option));
  });
}
