import type { DurableJobs } from '../durable/index.js';
import type { Engine } from '../engine/index.js';
import type { Session, Traffic } from '../front/index.js';
import type { Schedules } from '../schedules/index.js';
import { inTurns, type Turn } from '../../telemetry/forms/index.js';
import { MetricSet, type MetricFamily, type MetricSource } from '../../telemetry/metrics/index.js';
import { tellConnections } from './connection-metrics.js';
import { EventLoopWatch } from './event-loop.js';
import { FunctionMetrics } from './function-metrics.js';
import { tellSchedules } from './schedule-metrics.js';
import { tellStorage } from './storage-metrics.js';

/** What is measured of a job server. */
export interface MeasuredJobServer {
  readonly engine: Engine;
  readonly sessions: Iterable<Session>;
  readonly traffic: Traffic;
  readonly version: string;
  readonly storedJobs: DurableJobs | undefined;
  readonly schedules: Schedules;
  /** Tells the engine the time: ages are counted up to it. */
  tick(): void;
  /** Shared with everything else of it that takes long. */
  readonly turns: Turn;
}

/** Everything a job server measures, read when asked. */
export class JobServerMetrics implements MetricSource {
  private readonly functions: FunctionMetrics;
  private readonly eventLoop = new EventLoopWatch();
  private reading: Promise<MetricFamily[]> | undefined;

  /** @param maxFunctions how many functions, and how many schedules, are told by name. */
  constructor(
    private readonly jobServer: MeasuredJobServer,
    private readonly maxFunctions: number,
  ) {
    this.functions = new FunctionMetrics(maxFunctions);
  }

  /** How late the event loop is, in seconds: 99 of 100 times in the last ten seconds it was less late than this. */
  get eventLoopDelay(): number {
    return this.eventLoop.delay;
  }

  metrics(): MetricFamily[] {
    const reading = this.read();
    for (;;) {
      const { done, value } = reading.next();
      if (done) return value;
    }
  }

  /** Whoever asks during a reading gets its result: however many ask, there is one reading at a time. */
  metricsInTurns(): Promise<MetricFamily[]> {
    this.reading ??= inTurns(this.read(), this.jobServer.turns).finally(() => (this.reading = undefined));
    return this.reading;
  }

  private *read(): Generator<void, MetricFamily[]> {
    const { engine, sessions, traffic, version, storedJobs } = this.jobServer;
    this.jobServer.tick();
    const set = new MetricSet('function', 'job server');
    set.add('version_info', 1, { version });
    yield* this.functions.tell(set, engine, storedJobs?.health.dead?.byFunction);
    tellConnections(set, engine, sessions, traffic);
    tellSchedules(set, this.jobServer.schedules, this.maxFunctions);
    if (storedJobs) tellStorage(set, storedJobs, storedJobs.health);
    this.eventLoop.tell(set);
    return set.families();
  }

  /** The job server has ended: looks at the event loop no more. */
  stop(): void {
    this.eventLoop.stop();
  }
}
