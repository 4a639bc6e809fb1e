import type { MessageHandler } from '@nestjs/microservices';
import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  isObservable,
  merge,
  mergeMap,
  Observable,
  of,
  throwError,
} from 'rxjs';
import { JobAbandonedError } from '../driver/index.js';
import type { GearmanContext } from './gearman.context.js';

/**
 * The values of a message handler. Never rejects: a failure becomes the stream's
 * error, because nobody sees a rejection that passes Nest's processing hooks.
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
 * Runs all event handlers of a function at once. The stream has no values, and
 * ends when each handler has ended, with the first failure if there was one. A
 * failing handler does not stop the others.
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

/**
 * A stream that fails with the reason when its job is aborted, because nobody
 * wants its values any more. If only the callers have left
 * (`GEARMAN_JOB_ABANDONED`) it goes on, since its work may be wanted all the same:
 * the handler decides, by `context.signal`. Only streams ask for the signal,
 * because making it costs more than the rest of a small job.
 */
function untilAborted<T>(stream: Observable<T>, signal: AbortSignal): Observable<T> {
  return new Observable((subscriber) => {
    const abort = (): void => {
      if (!(signal.reason instanceof JobAbandonedError)) subscriber.error(signal.reason);
    };
    if (signal.aborted) abort();
    if (subscriber.closed) return;
    signal.addEventListener('abort', abort);
    subscriber.add(() => signal.removeEventListener('abort', abort));
    subscriber.add(stream.subscribe(subscriber));
  });
}
