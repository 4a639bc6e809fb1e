import type { Duplex } from 'node:stream';
import {
  Inject,
  Injectable,
  Logger,
  type LoggerService,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import { METRIC_SOURCE, type AppMetricSource } from '../../telemetry/metrics/index.js';
import { validateStopOptions, type StopOptions } from '../draining.js';
import type { JobServerEvents } from '../events/index.js';
import type { JobServerOptions } from '../job-server-options.js';
import { JobServer } from '../job-server.js';
import { readableLine, type Log } from '../../ground/index.js';
import { JOB_SERVER_OPTIONS } from './job-server.module-definition.js';

/** Something that happened in the job server: the event's name and its arguments; see {@link JobServerEvents}. */
export type JobServerEvent = {
  [Name in keyof JobServerEvents]: { readonly type: Name; readonly args: JobServerEvents[Name] };
}[keyof JobServerEvents];

const EVENTS: readonly (keyof JobServerEvents)[] = [
  'submitted',
  'assigned',
  'completed',
  'failed',
  'cancelled',
  'requeued',
  'workerJoined',
  'workerLeft',
  'shutdown',
  'audit',
];

/**
 * The job server of this app, to be injected.
 *
 * It starts when it is first connected to or in `onModuleInit`, whichever is
 * first, since Nest calls `listen` of a hybrid app's strategies before any
 * `onModuleInit`; and it stops in `onApplicationShutdown`, after every
 * strategy of the app has closed.
 *
 * It is an address as well: `servers: [jobServer]` in a client or a strategy
 * connects within the process, without a port.
 */
@Injectable()
export class GearmanJobServer extends JobServer implements OnModuleInit, OnApplicationShutdown, AppMetricSource {
  readonly [METRIC_SOURCE] = true;
  /** How logs and errors name it among a client's job servers: "the job server in this process". */
  readonly name = 'in this process';
  /** Everything that happens, from the moment of subscription on. */
  readonly events$: Observable<JobServerEvent>;
  private hasEnded = false;

  /** @throws InvalidOptionError for an option that is not allowed. */
  constructor(@Inject(JOB_SERVER_OPTIONS) options: JobServerOptions) {
    super({ log: logTo(new Logger(GearmanJobServer.name)), ...options });
    this.events$ = new Observable((subscriber) => {
      const listeners = EVENTS.map((type) => {
        const listener = (...args: unknown[]): void => subscriber.next({ type, args } as JobServerEvent);
        this.on(type, listener);
        return { type, listener };
      });
      return () => listeners.forEach(({ type, listener }) => this.off(type, listener));
    });
  }

  /** Begins to listen; does nothing when it already does. Rejects when an address cannot be listened on. */
  override start(): Promise<void> {
    this.hasEnded = false;
    return super.start();
  }

  /** A connection within this process; a closed one once the job server was drained or its app has closed. */
  override connect(): Duplex {
    // A client that comes back because the job server has ended does not start it again.
    // Where an address cannot be listened on, onModuleInit reports it.
    if (!this.hasEnded) this.start().catch(() => undefined);
    return super.connect();
  }

  onModuleInit(): Promise<void> {
    return this.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.end({});
  }

  /**
   * Ends it without loss: accepts no connection and no job any more, lets jobs
   * finish, and closes every connection. {@link start} opens it again.
   *
   * In the `beforeApplicationShutdown` of an app whose workers are elsewhere,
   * their jobs finish before it closes.
   *
   * @param options which jobs, and how long they may take. Default: those that run, for ever.
   * @throws InvalidOptionError
   */
  drain({ gracePeriod = Infinity, finish }: StopOptions = {}): Promise<void> {
    return this.end({ gracePeriod, ...(finish && { finish }) });
  }

  private async end(options: StopOptions): Promise<void> {
    validateStopOptions(options);
    this.hasEnded = true;
    await this.stop(options);
  }
}

function logTo(logger: LoggerService): Log {
  return (level, message, fields) => {
    const line = readableLine(message, fields);
    if (level === 'info') logger.log(line);
    else logger[level]?.(line);
  };
}
