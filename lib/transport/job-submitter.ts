import type { EventEmitter } from 'node:events';
import type { DriverEvents, JobClient } from '../driver/index.js';

/** What a `GearmanClient` asks of the driver: a `JobClient`, or what a test puts in its place. */
export type JobSubmitter = EventEmitter<DriverEvents> &
  Pick<
    JobClient,
    | 'connect'
    | 'close'
    | 'submit'
    | 'submitBackground'
    | 'status'
    | 'result'
    | 'statusByUnique'
    | 'metrics'
    | 'servers'
    | 'connectedServers'
  >;
