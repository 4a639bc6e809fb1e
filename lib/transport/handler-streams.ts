import type { MessageHandler } from '@nestjs/microservices';
import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  fromEvent,
  ignoreElements,
  isObservable,
  merge,
  mergeMap,
  of,
  takeUntil,
  throwError,
  type Observable,
} from 'rxjs';
import type { GearmanContext } from './gearman.context.js';

/**
 * The values of a message handler. Never rejects: a failure is the stream's,
 * for Nest's processing hooks pass a rejection on to nobody.
 */
export async function messageStream(
  handler: MessageHandler,
  data: unknown,
  context: GearmanContext,
): Promise<Observable<unknown>> {
  try {
    const result: unknown = await handler(data, context);
    return isObservable(result) ? untilAborted(result, context.signal) : of(result);
  } catch (error) {
    return throwError(() => error);
  }
}

/**
 * All event handlers of a function at once: no values, and an end when each of
 * them has ended, with the first failure if there was one. A failing handler
 * does not stop the others.
 */
export function eventStream(
  handlers: readonly MessageHandler[],
  data: unknown,
  context: GearmanContext,
): Observable<unknown> {
  const failures: unknown[] = [];
  const runs = handlers.map((handler) =>
    defer(() => from(messageStream(handler, data, context))).pipe(
      mergeMap((stream) => stream),
      ignoreElements(),
      catchError((error: unknown) => {
        failures.push(error);
        return EMPTY;
      }),
    ),
  );
  return concat(
    merge(...runs),
    defer(() => (failures.length > 0 ? throwError(() => failures[0]) : EMPTY)),
  );
}

/** Stops listening to a stream whose job nobody waits for any more. */
function untilAborted<T>(stream: Observable<T>, signal: AbortSignal): Observable<T> {
  return signal.aborted ? EMPTY : stream.pipe(takeUntil(fromEvent(signal, 'abort')));
}
