import { toByteString, type ByteString } from '../../protocol/index.js';
import { Answer, type Submitted } from '../../job-server/durable/index.js';
import {
  Priority,
  Refusal,
  type JobSpec,
  type Peer,
  type PeerListener,
  type Workload,
} from '../../job-server/engine/index.js';
import type { JobServerCore } from '../../job-server/core.js';
import { invalid, problemOfRefusal } from '../problem.js';

/** How a job is to be run, from the query or from a line of a batch. */
export interface Wishes {
  readonly priority?: string | undefined;
  readonly unique?: string | undefined;
  /** The time to run at: ISO 8601, or seconds since 1970. */
  readonly at?: string | undefined;
  /** The number of seconds to wait before it runs. */
  readonly delay?: string | undefined;
  readonly reducer?: string | undefined;
}

/** Makes the job that the caller describes. @throws Problem */
export function specOf(name: ByteString, workload: Workload, wishes: Wishes, isBackground: boolean): JobSpec {
  const { priority = 'normal', unique = '', reducer } = wishes;
  if (!Object.hasOwn(Priority, priority)) throw invalid('priority', 'high, normal or low');
  const at = runAtOf(wishes);
  if (at > 0 && !isBackground) throw invalid('at and delay', 'left out here: a job that is waited for runs at once');
  return {
    function: name,
    unique: nameWithoutNul('unique', unique),
    workload,
    priority: Priority[priority as keyof typeof Priority],
    isBackground,
    at,
    madeBy: 'http',
    ...(reducer && { reducer: nameWithoutNul('reducer', reducer) }),
  };
}

/** Submits a job, and resolves when JOB_CREATED may be sent: with a storage when the job is on disk. @throws Problem */
export async function submit(jobServer: JobServerCore, spec: JobSpec, peer: Peer): Promise<string> {
  jobServer.tick();
  const taken = jobServer.submit(spec, peer);
  const submitted: Submitted = taken instanceof Answer ? await taken.heard : taken;
  if (submitted instanceof Refusal) throw problemOfRefusal(submitted);
  return submitted;
}

/** The listener of a background submission, which needs to be told nothing. */
export const SILENT: PeerListener = {
  wake: () => undefined,
  assign: () => undefined,
  noJob: () => undefined,
  abandoned: () => undefined,
  data: () => undefined,
  warning: () => undefined,
  progress: () => undefined,
  complete: () => undefined,
  fail: () => undefined,
  exception: () => undefined,
};

function runAtOf({ at, delay }: Wishes): number {
  if (at !== undefined && delay !== undefined) throw invalid('at and delay', 'given one without the other');
  if (delay !== undefined) {
    const seconds = Number(delay);
    if (delay === '' || !(seconds >= 0 && seconds <= 1e10)) throw invalid('delay', 'a number of seconds from 0');
    return seconds === 0 ? 0 : Date.now() + seconds * 1_000;
  }
  if (at === undefined) return 0;
  const date = /^\d+(\.\d+)?$/.test(at) ? Number(at) * 1_000 : Date.parse(at);
  if (!(date > 0 && date <= 8.64e15)) throw invalid('at', 'a time such as 2030-01-31T08:00:00Z, or seconds since 1970');
  return date;
}

function nameWithoutNul(name: string, text: string): ByteString {
  const bytes = toByteString(text);
  if (bytes.includes('\0')) throw invalid(name, 'without NUL');
  return bytes;
}
