import type { DurableJobs } from '../durable/index.js';
import type { Engine } from '../engine/index.js';
import type { Session, Traffic } from '../front/index.js';
import type { Schedules } from '../schedules/index.js';
import { MetricSet, type MetricFamily, type MetricSource } from '../../telemetry/metrics/index.js';
import { tellConnections } from './connection-metrics.js';
import { EventLoopWatch } from './event-loop.js';
import { FunctionMetrics } from './function-metrics.js';
import { tellSchedules } from './schedule-metrics.js';
import { tellStorage } from './storage-metrics.js';

/** What of a job server is measured. */
export interface MeasuredJobServer {
  readonly engine: Engine;
  readonly sessions: Iterable<Session>;
  readonly traffic: Traffic;
  readonly version: string;
  readonly storedJobs: DurableJobs | undefined;
  readonly schedules: Schedules;
  /** Tells the engine the time: ages are counted up to it. */
  tick(): void;
}

/** Everything a job server measures, read when asked. */
export class JobServerMetrics implements MetricSource {
  private readonly functions: FunctionMetrics;
  private readonly eventLoop = new EventLoopWatch();

  /** @param maxFunctions how many functions, and how many schedules, are told by name. */
  constructor(
    private readonly jobServer: MeasuredJobServer,
    private readonly maxFunctions: number,
  ) {
    this.functions = new FunctionMetrics(maxFunctions);
  }

  /** How late the event loop is, in seconds: less, 99 of 100 times in the last ten seconds. */
  get eventLoopDelay(): number {
    return this.eventLoop.delay;
  }

  metrics(): MetricFamily[] {
    const { engine, sessions, traffic, version, storedJobs } = this.jobServer;
    this.jobServer.tick();
    const set = new MetricSet('function', 'job server');
    set.add('version_info', 1, { version });
    const health = storedJobs?.health;
    this.functions.tell(set, engine, health?.dead);
    tellConnections(set, engine, sessions, traffic);
    tellSchedules(set, this.jobServer.schedules, this.maxFunctions);
    if (health) tellStorage(set, storedJobs, health);
    this.eventLoop.tell(set);
    return set.families();
  }

  /** The job server has ended: looks at the event loop no more. */
  stop(): void {
    this.eventLoop.stop();
  }
}
