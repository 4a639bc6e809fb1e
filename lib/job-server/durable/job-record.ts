import { fromByteString, SUBMITTED_KEY, toByteString } from '../../protocol/index.js';
import { elapsed, workloadDigest, type ByteString, type Job, type JobSpec, type Moment } from '../engine/index.js';
import { readySince, type JobRecord } from '../storage/index.js';

/** In front of the digest that stands for a workload that is its own unique (`-`). */
const WORKLOAD_KEY = '\0';

/** The unique under which a job is stored: its own, or a digest of its workload when that is the key. */
export function storedUnique(spec: Pick<JobSpec, 'unique' | 'workload'>): ByteString {
  if (spec.unique !== '-') return spec.unique;
  return spec.workload.length === 0 ? '' : WORKLOAD_KEY + workloadDigest(spec.workload);
}

/** The unique as workers are told it. */
export function wireUnique(stored: ByteString): ByteString {
  return stored.startsWith(WORKLOAD_KEY) ? '-' : stored;
}

/**
 * The reducer field of a record: metadata stands in front of the reducer,
 * between NULs, so that no storage needs a field for it. On the wire no reducer
 * has a NUL, so none is mistaken for metadata.
 */
function storedReducer({
  reducer = '',
  metadata,
}: Pick<JobSpec, 'metadata'> & { reducer?: ByteString | undefined }): ByteString {
  return metadata === undefined ? reducer : `\0${metadata}\0${reducer}`;
}

/** Undoes {@link storedReducer}. */
function partsOfReducer(stored: ByteString): Pick<JobSpec, 'reducer' | 'metadata'> {
  if (!stored.startsWith('\0')) return { reducer: stored === '' ? undefined : stored };
  // The last NUL: a reducer has none, whatever a client sent as metadata.
  const end = stored.lastIndexOf('\0');
  const reducer = stored.slice(end + 1);
  return { metadata: stored.slice(1, end), reducer: reducer === '' ? undefined : reducer };
}

/**
 * The reducer field of a dead letter that waits again: where its metadata says how it was
 * submitted, it now says `replayed`.
 */
export function replayedReducer(stored: ByteString): ByteString {
  const { reducer, metadata } = partsOfReducer(stored);
  if (metadata === undefined || !metadata.includes(SUBMITTED_KEY)) return stored;
  try {
    const told = JSON.parse(fromByteString(metadata)) as Record<string, unknown>;
    if (!Object.hasOwn(told, SUBMITTED_KEY)) return stored;
    const changed = JSON.stringify({ ...told, [SUBMITTED_KEY]: 'replayed' });
    return storedReducer({ reducer, metadata: toByteString(changed) });
  } catch {
    // What a client sent there is not ours to mend.
    return stored;
  }
}

/**
 * The record of a new job.
 *
 * @param acceptedAt milliseconds since 1970.
 */
export function newJob(spec: JobSpec, handle: ByteString, unique: ByteString, acceptedAt: number): JobRecord {
  return {
    handle,
    function: spec.function,
    unique,
    priority: spec.priority,
    workload: spec.workload,
    reducer: storedReducer(spec),
    at: spec.at,
    attempts: 0,
    losses: 0,
    acceptedAt: wholeTime(acceptedAt),
  };
}

/** The record of a job that the engine has already. */
export function recordOf(job: Job, handle: ByteString, { date, now }: Moment): JobRecord {
  const { unique, workload, priority, isBackground, reducer, metadata } = job;
  const function_ = job.function_.name;
  const spec = { function: function_, unique, workload, priority, isBackground, reducer, metadata, at: 0 };
  return { ...newJob(spec, handle, storedUnique(job), date - elapsed(job.readySince, now)), losses: job.losses };
}

/** Storages accept only whole times from 0 on; a clock that is set before 1970 is no reason to refuse a job. */
function wholeTime(time: number): number {
  return Math.max(0, Math.floor(time));
}

/** A record as a submission, for the engine. */
export function specOf(record: JobRecord): JobSpec {
  return {
    function: record.function,
    unique: wireUnique(record.unique),
    workload: record.workload,
    priority: record.priority,
    ...partsOfReducer(record.reducer),
    isBackground: true,
    at: record.at,
  };
}

/** For how long a worker could have taken a job by a date, in milliseconds; 0 where nobody knows. */
export function ageOf(record: JobRecord, date: number): number {
  return Math.max(0, date - (readySince(record) ?? date));
}
