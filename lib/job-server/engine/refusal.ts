import { MAX_FUNCTION_BYTES } from '../../ground/index.js';

/**
 * Why the engine did not do what a peer asked: gearmand's error code and its
 * text, as they travel in an ERROR packet.
 */
export class Refusal {
  constructor(
    readonly code: string,
    readonly text: string,
  ) {}
}

export const JOB_NOT_FOUND = new Refusal('JOB_NOT_FOUND', 'Job given in work result not found');
export const QUEUE_FULL = new Refusal('QUEUE_ERROR', 'Job queue is full');
export const UNIQUE_TOO_LARGE = new Refusal('ARGUMENT_TOO_LARGE', 'Unique value too large');
export const FUNCTION_TOO_LARGE = new Refusal(
  'ARGUMENT_TOO_LARGE',
  `A function's name has at most ${MAX_FUNCTION_BYTES} bytes`,
);
export const TOO_MANY_FUNCTIONS = new Refusal('QUEUE_ERROR', 'Too many functions; raise maxFunctions or drop some');
export const TOO_MANY_SETTINGS = new Refusal('QUEUE_ERROR', 'Too many functions have settings; drop some');
export const FUNCTION_NOT_FOUND = new Refusal('NOT_FOUND', 'function not found');
export const FUNCTION_BUSY = new Refusal('BUSY', 'there are still connected workers or executing clients');
