import { GearmanError } from '../ground/index.js';

/** A job server could not be reached, or the program that answered is not one. */
export class ConnectError extends GearmanError {
  override readonly name = 'ConnectError';

  constructor(
    /** The address' name. */
    readonly server: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super('GEARMAN_CONNECT_FAILED', `cannot connect to the job server ${server}: ${problem}`, options);
  }
}
