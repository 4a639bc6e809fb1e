import { exactText, fromByteString, PRIORITY_NAMES, type ByteString } from '../../protocol/index.js';
import { AdminClient, JobClient, type GearmanMetadata, type JobObserver, type JobRequest } from '../../driver/index.js';
import type { JobSpec, Workload } from '../../job-server/engine/index.js';
import { closedBy, tookTooLong } from '../api/foreground.js';
import { bufferOf } from '../http/answers.js';
import { Live } from '../live/live.js';
import type { RemoteSource, RunListener, Submitter, WebSource } from '../source.js';
import { problemOfGearman } from './remote-problem.js';
import { RemoteSight } from './remote-sight.js';

/** How long connecting may take by default, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/** Makes a source elsewhere; it connects when it is first needed. @throws InvalidOptionError */
export function remoteSource(given: Extract<WebSource, { server: unknown }>): RemoteSource {
  const { name, server, tls = false, connectTimeout = CONNECT_TIMEOUT } = given;
  const admin = new AdminClient({ server, tls, connectTimeout });
  const client = new JobClient({ servers: [server], tls, connectTimeout, clientId: 'web' });
  // Whoever asks for something is told of a lost connection.
  client.on('error', () => undefined);
  return {
    name,
    admin,
    client,
    live: new Live(() => new RemoteSight(admin)),
    submitter: new RemoteSubmitter(client),
  };
}

/** Disconnects. */
export async function closeRemote({ admin, client }: RemoteSource): Promise<void> {
  await Promise.all([admin.close(), client.close()]);
}

class RemoteSubmitter implements Submitter {
  constructor(private readonly client: JobClient) {}

  async accept(spec: JobSpec): Promise<{ handle: string; coalesced: null }> {
    const { handle } = await this.client.submitBackground(requestOf(spec)).catch(refuse);
    return { handle, coalesced: null };
  }

  async run(
    spec: JobSpec,
    timeout: number,
    listener: RunListener,
    gone: AbortSignal,
  ): Promise<{ handle: string; bytes: Workload }> {
    let timer: NodeJS.Timeout | undefined;
    let stop: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const submission = this.client.submit(requestOf(spec), observerOf(spec.function, listener, resolve, giveUp));
        function giveUp(reason: Error): void {
          submission.forget();
          reject(reason);
        }
        stop = () => giveUp(closedBy(gone, 'This page is ending.'));
        gone.addEventListener('abort', stop, { once: true });
        if (gone.aborted) stop();
        if (timeout > 0) timer = setTimeout(() => giveUp(tookTooLong(timeout)), timeout * 1_000);
      });
    } catch (error) {
      return refuse(error);
    } finally {
      clearTimeout(timer);
      if (stop) gone.removeEventListener('abort', stop);
    }
  }
}

function observerOf(
  name: ByteString,
  listener: RunListener,
  resolve: (ended: { handle: string; bytes: Workload }) => void,
  giveUp: (reason: Error) => void,
): JobObserver {
  const guard = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      giveUp(error as Error);
    }
  };
  let handle = `of ${fromByteString(name)}`;
  return {
    created: (job) => guard(() => ((handle = job.handle), listener.created?.(handle))),
    data: (bytes) => guard(() => listener.data?.(bytes)),
    warning: (bytes) => guard(() => listener.warning?.(bytes)),
    status: (numerator, denominator) => guard(() => listener.status?.(numerator, denominator)),
    complete: (bytes) => resolve({ handle, bytes }),
    fail: giveUp,
  };
}

function requestOf(spec: JobSpec): JobRequest {
  const { function: name, workload, unique, priority, at, reducer, metadata } = spec;
  return {
    function: exactText(name),
    workload: bufferOf(workload),
    priority: PRIORITY_NAMES[priority]!,
    // The caller decides whether to submit again what was not answered, because only the caller knows whether it may.
    resubmit: false,
    ...(unique !== '' && { unique: exactText(unique) }),
    ...(at > 0 && { at: new Date(at) }),
    ...(reducer !== undefined && { reducer: exactText(reducer) }),
    ...(metadata !== undefined && { metadata: JSON.parse(fromByteString(metadata)) as GearmanMetadata }),
  };
}

function refuse(error: unknown): never {
  throw problemOfGearman(error) ?? error;
}
