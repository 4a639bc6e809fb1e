import { BaseRpcContext } from '@nestjs/microservices';
import type { AssignedJob, GearmanMetadata } from '../driver/index.js';

/** The parts of a {@link GearmanContext}: the driver's job, and the metadata that came with it. */
export type GearmanContextArgs = [job: AssignedJob, metadata: GearmanMetadata | undefined];

/**
 * What a handler can learn about its job, and tell about it; `@Ctx()` injects it.
 *
 * Whatever it sends while the handler runs reaches every client that waits for
 * the job, in order and before the result; nobody waits for a background job.
 */
export class GearmanContext extends BaseRpcContext<GearmanContextArgs> {
  readonly #encode: (value: unknown) => Uint8Array;

  /** @param encode how {@link data} turns a value into bytes */
  constructor(args: GearmanContextArgs, encode: (value: unknown) => Uint8Array) {
    super(args);
    this.#encode = encode;
  }

  /** The function's name on the job server, with the prefix. */
  get function(): string {
    return this.job.function;
  }

  /** The job's handle; it identifies a job only together with {@link server}. */
  get handle(): string {
    return this.job.handle;
  }

  /** The job's unique; empty if it has none. */
  get unique(): string {
    return this.job.unique;
  }

  /** The function that is to reduce the results; only if the client named one and the strategy has `reducers: true`. */
  get reducer(): string | undefined {
    return this.job.reducer;
  }

  /**
   * Which attempt at the job this is: 1 for the first, more after a lost
   * worker or a retry of the job server's `policies`. Only our job server tells
   * it; undefined from any other.
   */
  get attempt(): number | undefined {
    return this.job.attempt;
  }

  /** The name of the job server that the job came from: of its address. */
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
   * `GEARMAN_JOB_ABANDONED`, only from our job server; the job goes on unless the
   * handler throws). `reason` says which.
   */
  get signal(): AbortSignal {
    return this.job.signal;
  }

  /** The metadata that the client sent with the job; undefined if it sent none. Named as in Nest's other contexts. */
  getMetadata(): GearmanMetadata | undefined {
    return this.args[1];
  }

  /** The same as {@link function}, named as in Nest's other contexts. */
  getPattern(): string {
    return this.job.function;
  }

  /** Reports progress (WORK_STATUS): `numerator` of `denominator` is done. */
  progress(numerator: number, denominator: number): void {
    this.job.status(numerator, denominator);
  }

  /**
   * Sends a part of the result (WORK_DATA), in the function's format: a `next`
   * of the caller's `send`. Between large amounts await {@link drained}.
   *
   * Throws `GEARMAN_INVALID_WORKLOAD` for a value that the format cannot represent.
   */
  data(value: unknown): void {
    this.job.data(this.#encode(value));
  }

  /** Resolves when everything sent so far has left for the job server, or can no longer be sent. */
  drained(): Promise<void> {
    return this.job.drained();
  }

  /** Sends a warning (WORK_WARNING): UTF-8 text for people, whatever the format is. A caller with `submit` gets it, one with `send` does not. */
  warning(message: string): void {
    this.job.warning(message);
  }

  private get job(): AssignedJob {
    return this.args[0];
  }
}
