import type { GearmanErrorCode } from './error-codes.js';
import { oneLine } from './one-line.js';

/**
 * Every error of this package that a program may want to handle: `code` never
 * changes, and the message says to people what to do. It is one line, whatever
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
