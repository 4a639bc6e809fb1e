import { GearmanError } from './gearman-error.js';
import { nearest } from './nearest.js';
import { shown } from './shown.js';

/** An option or argument has a value that is not allowed. `option` names it, and the message says what is allowed and what was given. */
export class InvalidOptionError extends GearmanError {
  override readonly name = 'InvalidOptionError';

  constructor(
    readonly option: string,
    private readonly problem: string,
  ) {
    super('GEARMAN_INVALID_OPTION', `${option}: ${problem}`);
  }

  /** The same problem, named for an option that is part of another one: `path` becomes `storage.path`. */
  within(option: string): InvalidOptionError {
    return new InvalidOptionError(`${option}.${this.option}`, this.problem);
  }

  /** The error for a value that is not allowed. */
  static notAllowed(option: string, value: unknown, allowed: string): InvalidOptionError {
    return new InvalidOptionError(option, notAllowed(value, allowed));
  }

  /** The error for an option that does not exist, mostly a misspelt one. `path` is what stands before its name. */
  static unknown(name: string, kind: string, known: readonly string[], path = ''): InvalidOptionError {
    const meant = nearest(name, known);
    const hint = meant === undefined ? '' : `did you mean ${meant}? `;
    return new InvalidOptionError(`${path}${name}`, `is no ${kind}; ${hint}there are ${known.join(', ')}`);
  }
}

/** What is wrong with a value, for people. */
export function notAllowed(value: unknown, allowed: string): string {
  return `must be ${allowed}, not ${shown(value)}`;
}
