/** The exit codes of the command other than 0. */
export const EXIT = {
  /** It did not work. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
} as const;

/** Ends the command with a message for a person and without a stack trace; the exit code says which kind of failure it is. */
export class Failure extends Error {
  override readonly name: string = 'Failure';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command line was not understood. */
export class UsageFailure extends Failure {
  override readonly name = 'UsageFailure';

  constructor(message: string) {
    super(message, EXIT.usage);
  }
}
