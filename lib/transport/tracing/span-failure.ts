import type { Span } from '@opentelemetry/api';
import { RpcException } from '@nestjs/microservices';
import { GearmanError } from '../../ground/index.js';
import type { SpanMaker } from './span-maker.js';

/** What semantic conventions call an error whose type is not known. */
const OTHER = '_OTHER';

/**
 * Ends a span whose job failed. It says what kind of failure that was, and
 * never what the workload held. No exception is recorded on the span: semantic
 * conventions have that in logs from now on, and Nest logs it.
 */
export function endFailed(span: Span, failure: unknown, { api, options }: SpanMaker): void {
  const type = errorType(failure);
  span.setAttribute('error.type', type);
  const isError = options.isError ? options.isError(failure) : type !== RPC;
  if (isError) span.setStatus({ code: api.SpanStatusCode.ERROR, message: messageOf(failure) });
  span.end();
}

/** What a handler said on purpose: Nest makes its object or text what the caller hears. */
const RPC = RpcException.name;

/** What semantic conventions have as `error.type`: a code of ours, a class, or that nobody knows. */
export function errorType(failure: unknown): string {
  if (failure instanceof RpcException) return RPC;
  if (failure instanceof GearmanError) return failure.code;
  if (failure instanceof Error) return failure.constructor.name || OTHER;
  const { status, message, code } = (failure ?? {}) as { status?: unknown; message?: unknown; code?: unknown };
  if (typeof code === 'string' && code.startsWith('GEARMAN_')) return code;
  // What Nest makes of every exception it does not know: its class is in the worker's log alone.
  return status === 'error' && message === 'Internal server error' ? OTHER : RPC;
}

function messageOf(failure: unknown): string {
  const message: unknown = (failure as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : String(failure);
}
