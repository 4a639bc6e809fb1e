import { oneLine } from '../protocol/index.js';

/**
 * Every error of this package that a program may want to tell apart: `code` is
 * stable, the message is for people and says the cure. It is one line, whatever
 * a peer called itself or said: control characters are escaped in it.
 */
export class GearmanError extends Error {
  override readonly name: string = 'GearmanError';

  constructor(
    readonly code: GearmanErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(oneLine(message), options);
  }
}

/** The codes of {@link GearmanError}. */
export type GearmanErrorCode =
  | 'GEARMAN_INVALID_OPTION'
  | 'GEARMAN_CONNECT_FAILED'
  | 'GEARMAN_CONNECTION_LOST'
  | 'GEARMAN_NO_SERVER'
  | 'GEARMAN_SERVER_ERROR'
  | 'GEARMAN_PROTOCOL_ERROR'
  | 'GEARMAN_JOB_ABANDONED'
  | 'GEARMAN_JOB_FAILED'
  | 'GEARMAN_JOB_EXCEPTION'
  | 'GEARMAN_HANDLER_FAILED'
  | 'GEARMAN_TIMEOUT'
  | 'GEARMAN_CLOSED'
  // Codes of the other rooms: a string of theirs is as good as one of these.
  | (string & {});

/** An option or argument is not what it may be; `option` names it. */
export class InvalidOptionError extends GearmanError {
  override readonly name = 'InvalidOptionError';

  constructor(
    readonly option: string,
    problem: string,
  ) {
    super('GEARMAN_INVALID_OPTION', `${option}: ${problem}`);
  }
}

/** A job server could not be reached, or what answered is none. */
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
