/** An option that cannot be meant; the message names it and what is allowed. */
export class InvalidOptionError extends Error {
  override readonly name = 'InvalidOptionError';
  readonly code = 'GEARMAN_INVALID_OPTION';

  constructor(
    readonly option: string,
    problem: string,
  ) {
    super(`${option} is ${problem}`);
  }

  /** An option with a value that is not allowed. */
  static notAllowed(option: string, value: unknown, allowed: string): InvalidOptionError {
    return new InvalidOptionError(option, `${allowed}, not ${JSON.stringify(value) ?? String(value)}`);
  }
}
