/** An option that cannot be meant; the message names it and what is allowed. */
export class InvalidOptionError extends Error {
  override readonly name = 'InvalidOptionError';
  readonly code = 'GEARMAN_INVALID_OPTION';

  constructor(
    readonly option: string,
    value: unknown,
    allowed: string,
  ) {
    super(`${option} is ${allowed}, not ${JSON.stringify(value) ?? String(value)}`);
  }
}
