import type { MsPattern } from '@nestjs/microservices';
import type { GearmanError } from '../ground/index.js';
import { ServerError } from '../driver/index.js';
import { functionNameOf } from '../transport/function-name.js';
import {
  GearmanClient,
  GearmanRecord,
  type FunctionContract,
  type GearmanClientOptions,
  type RequestPacket,
} from '../transport/index.js';
import { FakeDriver } from './fake-driver.js';
import type { FakeAnswer, FakeJob } from './fake-job.js';

/** Options of a {@link FakeGearmanClient}: those of the real client that are not about job servers. */
export type FakeGearmanClientOptions = Pick<GearmanClientOptions, 'prefix' | 'format' | 'timeout' | 'metadata'>;

/**
 * A `GearmanClient` without a job server: it records every job, and answers
 * foreground jobs as the test says. Everything else is the real client's:
 * formats, records, contracts, `submit()`, timeouts, errors.
 *
 * ```ts
 * const gearman = new FakeGearmanClient().answer('sum', (numbers: number[]) => numbers.reduce((a, b) => a + b));
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(GearmanClient)
 *   .useValue(gearman)
 *   .compile();
 * // ... the code under test runs ...
 * expect(gearman.jobsOf('mail')).toMatchObject([{ data: { to: 'ann@example.org' }, isBackground: true }]);
 * ```
 *
 * A foreground job of a function without an answer fails with
 * `GEARMAN_NO_ANSWER`. Background jobs never run, and nothing coalesces.
 */
export class FakeGearmanClient extends GearmanClient {
  private readonly driver: FakeDriver;
  private readonly prefix: string;

  constructor(options: FakeGearmanClientOptions = {}) {
    const driver = new FakeDriver();
    super(options, () => driver);
    this.driver = driver;
    this.prefix = options.prefix ?? '';
  }

  /** All jobs in order, since the start or since {@link clear}. */
  get jobs(): readonly FakeJob[] {
    return this.driver.jobs;
  }

  /** The jobs of one function, which is named as for `send`, without the prefix. */
  jobsOf(fn: FunctionContract<never> | MsPattern): FakeJob[] {
    const name = this.nameOf(fn);
    return this.driver.jobs.filter((job) => job.function === name);
  }

  /** From now on, foreground jobs of this function get what `answer` returns, or throws. */
  answer<In, Out>(fn: FunctionContract<In, Out>, answer: FakeAnswer<NoInfer<In>, NoInfer<Out>>): this;
  answer<In>(fn: MsPattern, answer: FakeAnswer<In>): this;
  answer(fn: unknown, answer: FakeAnswer): this {
    this.driver.answers.set(this.nameOf(fn), answer);
    this.driver.refusals.delete(this.nameOf(fn));
    return this;
  }

  /** From now on, jobs of this function are refused. Default: with the error of a job server whose queue is full. */
  refuse(fn: FunctionContract<never> | MsPattern, error: GearmanError = QUEUE_FULL): this {
    this.driver.refusals.set(this.nameOf(fn), error);
    return this;
  }

  /** Forgets all jobs, answers and refusals. */
  clear(): void {
    this.driver.jobs.length = 0;
    this.driver.answers.clear();
    this.driver.refusals.clear();
  }

  protected override prepare(packet: RequestPacket) {
    const call = super.prepare(packet);
    const data = packet.data instanceof GearmanRecord ? (packet.data.data as unknown) : packet.data;
    this.driver.expect(call.request, { data, workload: call.workload });
    return call;
  }

  private nameOf(pattern: unknown): string {
    return functionNameOf(pattern, this.normalizePattern(pattern as MsPattern), this.prefix);
  }
}

const QUEUE_FULL = new ServerError('fake', 'QUEUE_ERROR', 'Job queue is full');
