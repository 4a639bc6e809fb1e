import type { KeptResult } from '../driver/index.js';
import { decodeException } from './exception-body.js';

/**
 * What became of a background job, if the job server keeps results
 * (`keepResults`): its value; or its error, which is an `RpcException`'s object or
 * a text; or that it has not ended; or `unknown`, because it was too long ago.
 */
export type GearmanResult<T = unknown> =
  | { readonly state: 'complete'; readonly value: T }
  | { readonly state: 'failed'; readonly error: unknown }
  | { readonly state: 'waiting' | 'running' | 'unknown' };

/** A kept result with its bytes decoded. */
export function resultOf({ state, bytes = NO_BYTES }: KeptResult, decode: (bytes: Buffer) => unknown): GearmanResult {
  if (state === 'complete') return { state, value: decode(bytes) };
  if (state === 'failed') return { state, error: decodeException(bytes) ?? bytes.toString('utf8') };
  return { state };
}

const NO_BYTES = Buffer.alloc(0);
