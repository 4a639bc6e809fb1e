import { BaseRpcContext } from '@nestjs/microservices';
import type { AssignedJob, GearmanMetadata } from '../driver/index.js';

/** What a {@link GearmanContext} is made of: the driver's job, and the metadata that came with it. */
export type GearmanContextArgs = [job: AssignedJob, metadata: GearmanMetadata | undefined];

/**
 * What a handler may know of its job and tell about it; `@Ctx()` injects it.
 *
 * What it sends while the handler runs reaches every client of the job that
 * listens, in order and before the result; background jobs have none.
 */
export class GearmanContext extends BaseRpcContext<GearmanContextArgs> {
  readonly #encode: (value: unknown) => Uint8Array;

  /** @param encode how {@link data} makes a value bytes */
  constructor(args: GearmanContextArgs, encode: (value: unknown) => Uint8Array) {
    super(args);
    this.#encode = encode;
  }

  /** The function, as the job server knows it: with the prefix. */
  get function(): string {
    return this.job.function;
  }

  /** The job's handle; only together with {@link server} does it name one job. */
  get handle(): string {
    return this.job.handle;
  }

  /** The job's unique; empty where it has none. */
  get unique(): string {
    return this.job.unique;
  }

  /** The function that is to reduce the results, where the client named one and the strategy has `reducers: true`. */
  get reducer(): string | undefined {
    return this.job.reducer;
  }

  /**
   * Which attempt at the job this is: 1 for the first, more after a lost
   * worker or a retry of the job server's `policies`. Undefined where the job
   * server does not tell: gearmand and others do not.
   */
  get attempt(): number | undefined {
    return this.job.attempt;
  }

  /** The name of the job server's address the job came from. */
  get server(): string {
    return this.job.server;
  }

  /** The workload's bytes, without metadata. Make a copy of what you keep for long. */
  get workload(): Buffer {
    return this.job.workload;
  }

  /**
   * Aborts when there is no use in going on: the job's `timeout` is over, its
   * job server is lost (which gives the job to another worker), the strategy's
   * `gracePeriod` is over, or nobody waits for the result any more (code
   * `GEARMAN_JOB_ABANDONED`, told by a job server of ours: the job goes on
   * unless the handler throws). `reason` says which.
   */
  get signal(): AbortSignal {
    return this.job.signal;
  }

  /** What the client attached to the job; undefined where it attached nothing. Named as Nest's contexts name it. */
  getMetadata(): GearmanMetadata | undefined {
    return this.args[1];
  }

  /** The function, as {@link function}. Named as Nest's contexts name it. */
  getPattern(): string {
    return this.job.function;
  }

  /** Reports progress (WORK_STATUS): `numerator` of `denominator` is done. */
  progress(numerator: number, denominator: number): void {
    this.job.status(numerator, denominator);
  }

  /**
   * Sends a part of the result (WORK_DATA), in the function's format: a `next`
   * of the caller's `send`. Before you send much, await {@link drained}.
   *
   * Throws `GEARMAN_INVALID_WORKLOAD` for a value the format cannot hold.
   */
  data(value: unknown): void {
    this.job.data(this.#encode(value));
  }

  /** Resolves when what was sent so far has left for the job server, or can no longer be sent. */
  drained(): Promise<void> {
    return this.job.drained();
  }

  /** Sends a warning (WORK_WARNING): UTF-8 text for people, whatever the format. `submit` hears it, `send` does not. */
  warning(message: string): void {
    this.job.warning(message);
  }

  private get job(): AssignedJob {
    return this.args[0];
  }
}
