import { fromByteString } from '../../protocol/index.js';
import type { Job, JobSpec, Workload } from '../../job-server/engine/index.js';
import type { JobServerCore } from '../../job-server/core.js';
import { bufferOf } from '../http/answers.js';
import { bytesAsJson } from '../http/event-stream.js';
import { Problem } from '../problem.js';
import type { RunListener } from '../source.js';
import { SILENT, submit } from './submission.js';

/**
 * Runs a job in the foreground. The caller is its Gearman client: if it leaves, or
 * has waited long enough, its wait for the job is withdrawn, as by our own client.
 *
 * @param timeout in seconds; 0: none.
 * @throws Problem
 */
export async function runInForeground(
  jobServer: JobServerCore,
  gone: AbortSignal,
  spec: JobSpec,
  timeout: number,
  listener: RunListener,
): Promise<{ handle: string; bytes: Workload }> {
  const { engine } = jobServer;
  let complete!: (result: Workload) => void;
  let fail!: (reason: Error) => void;
  const ended = new Promise<Workload>((resolve, reject) => ((complete = resolve), (fail = reject)));
  ended.catch(() => undefined);
  const guard = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      fail(error as Error);
    }
  };
  const peer = engine.join({
    ...SILENT,
    data: (_, bytes) => guard(() => listener.data?.(bufferOf(bytes))),
    warning: (_, bytes) => guard(() => listener.warning?.(bufferOf(bytes))),
    progress: ({ numerator, denominator }) =>
      guard(() => listener.status?.(Number(numerator) || 0, Number(denominator) || 0)),
    complete: (_, result) => complete(result),
    fail: (job) => fail(jobFailed(fromByteString(engine.handleOf(job)), job)),
    exception: (job, bytes) => fail(jobFailed(fromByteString(engine.handleOf(job)), job, bytes)),
  });
  peer.wantsExceptions = true;
  const timer = timeout > 0 ? setTimeout(() => fail(tookTooLong(timeout)), timeout * 1_000) : undefined;
  const onGone = (): void => fail(closedBy(gone, 'This job server is ending.'));
  gone.addEventListener('abort', onGone, { once: true });
  let accepted: string | undefined;
  try {
    if (gone.aborted) onGone();
    accepted = await submit(jobServer, spec, peer);
    const handle = fromByteString(accepted);
    listener.created?.(handle);
    return { handle, bytes: await ended };
  } finally {
    clearTimeout(timer);
    gone.removeEventListener('abort', onGone);
    jobServer.tick();
    // The same as when our own client gives up: if nobody else waits for the job, it is not run.
    if (accepted !== undefined) engine.withdrawWait(peer, accepted);
    engine.leave(peer);
  }
}

/** The problem of a job that failed. It is no 5xx, because clients and proxies repeat a request after a 5xx by themselves. */
export function failedProblem(handle: string, name: string, reason: Workload = ''): Problem {
  const detail = `The job ${handle} of ${name} failed${reason.length > 0 ? ': see exception' : ''}.`;
  const exception = reason.length > 0 ? { exception: bytesAsJson(bufferOf(reason)) } : {};
  return new Problem(422, 'job-failed', detail, {}, { handle, ...exception });
}

/** Why a caller that is still connected waits no longer. */
export function closedBy({ reason }: AbortSignal, detail: string): Problem {
  return reason instanceof Problem ? reason : new Problem(503, 'closed', detail);
}

function jobFailed(handle: string, job: Job, reason?: Workload): Problem {
  return failedProblem(handle, fromByteString(job.function_.name), reason);
}

export function tookTooLong(timeout: number): Problem {
  return new Problem(504, 'timeout', `The job took longer than ${timeout} s (timeout).`);
}
