import {
  JobClient,
  JobWorker,
  type JobClientOptions,
  type JobObserver,
  type JobRequest,
  type JobWorkerOptions,
} from '../../lib/driver/index.js';
import { atEnd } from './cleanup.js';

/** A client that is closed when the test file is over. */
export function startClient(options: JobClientOptions): JobClient {
  const client = new JobClient(options);
  atEnd(() => client.close());
  return client;
}

/** A worker that is closed when the test file is over; `register` its functions, then start it. */
export function newWorker(options: JobWorkerOptions): JobWorker {
  const worker = new JobWorker(options);
  atEnd(() => worker.close({ gracePeriod: 0 }));
  return worker;
}

/** A foreground job's result. */
export function resultOf(client: JobClient, request: JobRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => client.submit(request, { complete: resolve, fail: reject }));
}

/** A foreground job from its submission to its end: everything that its observer was told. */
export function follow(
  client: JobClient,
  request: JobRequest,
): { heard: string[]; created: Promise<void>; over: Promise<void> } {
  const heard: string[] = [];
  let isCreated = (): void => {};
  let isOver = (): void => {};
  const created = new Promise<void>((resolve) => (isCreated = resolve));
  const over = new Promise<void>((resolve) => (isOver = resolve));
  const observer: JobObserver = {
    created: isCreated,
    data: (bytes) => heard.push(`data ${bytes}`),
    warning: (bytes) => heard.push(`warning ${bytes}`),
    status: (numerator, denominator) => heard.push(`status ${numerator}/${denominator}`),
    complete: (result) => {
      heard.push(`complete ${result}`);
      isOver();
    },
    fail: (error) => {
      heard.push(`${error.code}: ${error.message}`);
      isOver();
    },
  };
  client.submit(request, observer);
  return { heard, created, over };
}

/** A gate: whoever awaits `opened` goes on when `open` is called. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
