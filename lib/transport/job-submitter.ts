import type { EventEmitter } from 'node:events';
import type { DriverEvents, JobClient } from '../driver/index.js';

/** What a `GearmanClient` needs from the driver: a `JobClient`, or what a test uses instead. */
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
