import type { GearmanErrorCode } from './error-codes.js';
import { oneLine } from './one-line.js';

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
