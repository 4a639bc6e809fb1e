import type { JobServerCore } from '../../job-server/core.js';
import type { AuditEvent, JobEvent, WorkerEvent } from '../../job-server/events/index.js';
import { nameFields } from '../function-name.js';
import type { SeenChange, SeenFunction, SeenName } from './function-board.js';
import { EngineRows, type RowKey } from './function-rows.js';
import { JOB_EVENTS, WORKER_EVENTS, type HappeningKind, type Sight, type Viewer } from './live.js';
import { serverState } from './server-state.js';

/** A job server of this process as viewers see it. Each kind of event has one listener, however many viewers there are. */
export class EngineSight implements Sight<RowKey> {
  private readonly rows: EngineRows;
  private readonly stops = new Map<HappeningKind, () => void>();

  constructor(private readonly jobServer: JobServerCore) {
    this.rows = new EngineRows(jobServer);
  }

  get epoch(): Date {
    return this.rows.epoch;
  }

  get now(): number {
    return this.rows.now;
  }

  get version(): string {
    return this.jobServer.version;
  }

  nameOf({ name }: RowKey): SeenName {
    return nameFields(name);
  }

  functions(): Iterable<SeenFunction<RowKey>> {
    return this.rows.seen();
  }

  changes(): Iterable<SeenChange<RowKey>> | undefined {
    return this.rows.changes();
  }

  rest(): void {
    this.rows.rest();
  }

  state(eventStreams: number): object {
    return serverState(this.jobServer, eventStreams);
  }

  attend(kind: HappeningKind, viewers: ReadonlySet<Viewer>, isWanted: boolean): boolean {
    const stop = this.stops.get(kind);
    if (isWanted === (stop !== undefined)) return true;
    if (isWanted) this.stops.set(kind, this[kind](viewers));
    else this.stops.delete(kind);
    stop?.();
    return true;
  }

  private job(viewers: ReadonlySet<Viewer>): () => void {
    const stops = JOB_EVENTS.map((name) => {
      const heard = (job: JobEvent, worker?: WorkerEvent): void => {
        for (const viewer of viewers) viewer.job?.(name, job, worker);
      };
      this.jobServer.events.on(name, heard);
      return () => this.jobServer.events.off(name, heard);
    });
    return () => stops.forEach((stop) => stop());
  }

  private worker(viewers: ReadonlySet<Viewer>): () => void {
    const stops = WORKER_EVENTS.map((name) => {
      const heard = (worker: WorkerEvent): void => {
        for (const viewer of viewers) viewer.worker?.(name, worker);
      };
      this.jobServer.events.on(name, heard);
      return () => this.jobServer.events.off(name, heard);
    });
    return () => stops.forEach((stop) => stop());
  }

  private audit(viewers: ReadonlySet<Viewer>): () => void {
    const heard = (event: AuditEvent): void => {
      for (const viewer of viewers) viewer.audit?.(event);
    };
    this.jobServer.events.on('audit', heard);
    return () => this.jobServer.events.off('audit', heard);
  }
}
