import type { Span } from '@opentelemetry/api';
import { RpcException } from '@nestjs/microservices';
import { GearmanError, shown } from '../../ground/index.js';
import type { SpanMaker } from './span-maker.js';

/** The name in semantic conventions for an error of unknown type. */
const OTHER = '_OTHER';

/**
 * Ends the span of a job that failed. The span says what kind of failure it was,
 * and never what the workload contained. No exception is recorded on the span:
 * in semantic conventions exceptions now belong in logs, and Nest logs it.
 */
export function endFailed(span: Span, failure: unknown, { api, options }: SpanMaker): void {
  const type = errorType(failure);
  span.setAttribute('error.type', type);
  const isError = options.isError ? options.isError(failure) : type !== RPC;
  if (isError) span.setStatus({ code: api.SpanStatusCode.ERROR, message: messageOf(failure) });
  span.end();
}

/** The type of an error that a handler threw on purpose: Nest passes its object or text on to the caller. */
const RPC = RpcException.name;

/** The `error.type` of semantic conventions: a code of ours, the name of a class, or {@link OTHER}. */
export function errorType(failure: unknown): string {
  if (failure instanceof RpcException) return RPC;
  if (failure instanceof GearmanError) return failure.code;
  if (failure instanceof Error) return failure.constructor.name || OTHER;
  const { status, message, code } = (failure ?? {}) as { status?: unknown; message?: unknown; code?: unknown };
  if (typeof code === 'string' && code.startsWith('GEARMAN_')) return code;
  // Nest makes this of every exception that it does not know; only the worker's log has the class.
  return status === 'error' && message === 'Internal server error' ? OTHER : RPC;
}

function messageOf(failure: unknown): string {
  const message: unknown = (failure as { message?: unknown } | null | undefined)?.message ?? failure;
  return typeof message === 'string' ? message : shown(message);
}
