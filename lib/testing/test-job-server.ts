import { Injectable, Optional, type OnApplicationShutdown } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import type { JobIdentity } from '../driver/index.js';
import {
  GearmanJobServer,
  type FunctionSnapshot,
  type JobServerEvent,
  type JobServerOptions,
} from '../job-server/index.js';
import {
  type FunctionContract,
  GearmanClient,
  GearmanStrategy,
  type GearmanClientOptions,
  type GearmanStrategyOptions,
} from '../transport/index.js';
import { until, type UntilOptions } from './until.js';

/** How a job ended. */
export type JobOutcome = 'completed' | 'failed' | 'cancelled';

/** Options of a {@link TestJobServer}: those of a job server, except for its listeners. */
export type TestJobServerOptions = Omit<JobServerOptions, 'listeners'>;

/**
 * A real job server in the test's own process. It opens no port, needs no
 * start, and loses everything when it is closed. Each one is separate from all
 * others, so tests may run side by side.
 *
 * ```ts
 * const jobServer = new TestJobServer();
 * const module = await Test.createTestingModule({ controllers: [Texts] }).compile();
 * const app = module.createNestMicroservice({ strategy: jobServer.strategy({ format: 'text' }) });
 * await app.listen();
 * const client = jobServer.client({ format: 'text' });
 * await firstValueFrom(client.send('reverse', 'Hello world!')); // '!dlrow olleH'
 * await app.close();
 * await jobServer.close(); // closes the client as well
 * ```
 *
 * It is a `GearmanJobServer`: for an app that embeds one, use
 * `overrideProvider(GearmanJobServer).useValue(jobServer)`. Everything of that
 * class (`functions()`, `jobs()`, `pause()`, `events$`) is here too. As a
 * provider it closes with its app, and `await using` closes it as well.
 */
@Injectable()
export class TestJobServer extends GearmanJobServer implements OnApplicationShutdown, AsyncDisposable {
  private readonly outcomes = new Map<string, JobOutcome>();
  private readonly made: (GearmanClient | GearmanStrategy)[] = [];
  private readonly watch: Subscription;

  constructor(@Optional() options: TestJobServerOptions = {}) {
    super({ ...options, listeners: [] });
    this.watch = this.events$.subscribe((event) => {
      if (hasEnded(event)) this.outcomes.set(event.args[0].handle, event.type);
    });
  }

  /** A client of this job server, which closes it. For injection use `overrideProvider(GearmanClient).useValue(...)`. */
  client(options: Omit<GearmanClientOptions, 'servers'> = {}): GearmanClient {
    return this.keep(new GearmanClient({ ...options, servers: this }));
  }

  /** A strategy that serves this job server, for `createNestMicroservice` and `connectMicroservice`; the job server closes it. */
  strategy(options: Omit<GearmanStrategyOptions, 'servers'> = {}): GearmanStrategy {
    return this.keep(new GearmanStrategy({ ...options, servers: this }));
  }

  /** Waits until so many connections serve a function. Each strategy has one for it; a handler with its own `concurrency` has its own. */
  async untilWorkers(fn: string | FunctionContract<never>, count = 1, options?: UntilOptions): Promise<void> {
    const name = String(fn);
    await until(`${name} has ${count} workers`, () => (this.function(name)?.workers ?? 0) >= count, options);
  }

  /** Waits until a function has so many jobs, waiting or running. */
  async untilJobs(fn: string | FunctionContract<never>, count = 1, options?: UntilOptions): Promise<void> {
    const name = String(fn);
    await until(`${name} has ${count} jobs`, () => (this.function(name)?.total ?? 0) >= count, options);
  }

  /** Waits until no job is left, waiting or running, of one function or of all. */
  async untilEmpty(fn?: string | FunctionContract<never>, options?: UntilOptions): Promise<void> {
    const what = fn === undefined ? 'the job server has no job' : `${String(fn)} has no job`;
    await until(what, () => this.functionsOf(fn).every(({ total }) => total === 0), options);
  }

  /** Waits until a job has ended, and resolves to how it ended. Only jobs of this job server are known. */
  untilEnded({ handle }: Pick<JobIdentity, 'handle'>, options?: UntilOptions): Promise<JobOutcome> {
    return until(`the job ${handle} has ended`, () => this.outcomes.get(handle), options);
  }

  /** Closes the clients and strategies that it made, then itself. May be called again. */
  async close(): Promise<void> {
    await Promise.all(this.made.splice(0).map((made) => made.close()));
    await super.onApplicationShutdown();
    this.watch.unsubscribe();
  }

  /** Nest calls it: closes the job server with its app. */
  override onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private keep<T extends GearmanClient | GearmanStrategy>(made: T): T {
    this.made.push(made);
    return made;
  }

  private function(name: string): FunctionSnapshot | undefined {
    return this.functions().find((snapshot) => snapshot.name === name);
  }

  private functionsOf(fn: string | FunctionContract<never> | undefined): FunctionSnapshot[] {
    return this.functions().filter(({ name }) => fn === undefined || name === String(fn));
  }
}

function hasEnded(event: JobServerEvent): event is Extract<JobServerEvent, { type: JobOutcome }> {
  return event.type === 'completed' || event.type === 'failed' || event.type === 'cancelled';
}
