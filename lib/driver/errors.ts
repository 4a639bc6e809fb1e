import { GearmanError } from '../ground/index.js';
import { thrownWords } from './thrown-words.js';

export { ConnectError } from '../connection/index.js';

/** A connection to a job server ended before its answer came. */
export class ConnectionLostError extends GearmanError {
  override readonly name = 'ConnectionLostError';

  constructor(
    /** The address' name. */
    readonly server: string,
    consequence: string,
    options?: ErrorOptions,
  ) {
    super('GEARMAN_CONNECTION_LOST', `the connection to the job server ${server} was lost: ${consequence}`, options);
  }
}

/** No job server could be reached in time; the message names each one and the reason. */
export class NoServerError extends GearmanError {
  override readonly name = 'NoServerError';

  constructor(
    /** The last error of each job server, by the address' name. */
    readonly servers: ReadonlyMap<string, Error | undefined>,
    connectTimeout: number,
  ) {
    const states = [...servers].map(([name, error]) => `${name} (${error?.message ?? 'no answer yet'})`);
    super(
      'GEARMAN_NO_SERVER',
      `no job server could be reached within ${connectTimeout} ms (connectTimeout): ${states.join('; ')}. ` +
        'Is one running at an address of `servers`?',
    );
  }
}

/** A job server answered a request with an ERROR packet. */
export class ServerError extends GearmanError {
  override readonly name = 'ServerError';

  constructor(
    /** The address' name. */
    readonly server: string,
    /** The job server's own code, such as `QUEUE_ERROR`. */
    readonly serverCode: string,
    readonly serverText: string,
  ) {
    super('GEARMAN_SERVER_ERROR', `the job server ${server} refused: ${serverCode}: ${serverText}`);
  }
}

/** A job server sent a packet that the protocol does not allow, or not at that moment. */
export class UnexpectedPacketError extends GearmanError {
  override readonly name = 'UnexpectedPacketError';

  constructor(
    /** The address' name. */
    readonly server: string,
    what: string,
  ) {
    super('GEARMAN_PROTOCOL_ERROR', `the job server ${server} ${what}`);
  }
}

/** A job ended with WORK_FAIL: its worker failed, or the job server gave it up. */
export class JobFailedError extends GearmanError {
  override readonly name: string = 'JobFailedError';

  constructor(
    readonly functionName: string,
    /** The name of the job server that it ran through: of its address. */
    readonly server: string,
    readonly handle: string,
  ) {
    super(
      'GEARMAN_JOB_FAILED',
      `the job ${handle} of ${functionName} failed (WORK_FAIL from ${server}); see its worker's log`,
    );
  }
}

/** A job ended with WORK_EXCEPTION: `bytes` is what its worker said. */
export class JobExceptionError extends GearmanError {
  override readonly name = 'JobExceptionError';

  constructor(
    readonly functionName: string,
    /** The name of the job server that it ran through: of its address. */
    readonly server: string,
    readonly handle: string,
    readonly bytes: Buffer,
  ) {
    super('GEARMAN_JOB_EXCEPTION', `the job ${handle} of ${functionName} failed: ${excerpt(bytes)}`);
  }
}

/** A handler threw, and its job failed; `cause` is what it threw. */
export class HandlerError extends GearmanError {
  override readonly name = 'HandlerError';

  constructor(
    readonly functionName: string,
    readonly handle: string,
    cause: unknown,
  ) {
    super('GEARMAN_HANDLER_FAILED', `the handler of ${functionName} failed the job ${handle}: ${thrownWords(cause)}`, {
      cause,
    });
  }
}

/** Nobody waits for a running job any more: every caller has given up, or is gone. */
export class JobAbandonedError extends GearmanError {
  override readonly name = 'JobAbandonedError';

  constructor(
    readonly functionName: string,
    readonly handle: string,
  ) {
    super('GEARMAN_JOB_ABANDONED', `nobody waits for the job ${handle} of ${functionName} any more`);
  }
}

/** Something took too long; the message names the option that limits it. */
export class TimeoutError extends GearmanError {
  override readonly name = 'TimeoutError';

  constructor(
    what: string,
    readonly timeout: number,
    option: string,
  ) {
    super('GEARMAN_TIMEOUT', `${what} took longer than ${timeout} ms (${option})`);
  }
}

/** The client or worker was closed before the answer came. */
export class ClosedError extends GearmanError {
  override readonly name = 'ClosedError';

  constructor(what: string) {
    super('GEARMAN_CLOSED', `${what} was closed`);
  }
}

/**
 * Thrown by a job's handler to fail the job with `bytes` as its WORK_EXCEPTION,
 * which clients with the option `exceptions` receive; others see WORK_FAIL.
 */
export class WorkException extends Error {
  override readonly name = 'WorkException';
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array | string, options?: ErrorOptions) {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
    super(excerpt(buffer), options);
    this.bytes = buffer;
  }
}

function excerpt(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, 200);
  return bytes.length > 200 ? `${text}...` : text;
}
