import { GearmanError } from '../ground/index.js';
import { type JobIdentity } from '../driver/index.js';

/** A job was silent for as long as its caller was willing to wait. The job itself may still run. */
export class JobTimeoutError extends GearmanError {
  override readonly name = 'JobTimeoutError';

  constructor(
    readonly functionName: string,
    /** How long the silence was, in milliseconds. */
    readonly timeout: number,
    /** The job; undefined when no job server had accepted it. */
    readonly job: JobIdentity | undefined,
  ) {
    super(
      'GEARMAN_TIMEOUT',
      `function "${functionName}" said nothing for ${timeout} ms (timeout): ` +
        (job
          ? `the job ${job.handle} of the job server ${job.server} still runs, or no worker there serves the function`
          : 'no job server has accepted the job'),
    );
  }
}
