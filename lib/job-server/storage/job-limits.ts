import { MAX_FUNCTION_BYTES } from '../../ground/index.js';
import { StorageError } from './storage-error.js';
import type { JobRecord } from './stored-job.js';

/** The longest handle a storage accepts, in bytes. */
export const MAX_HANDLE_BYTES = 255;

/** The longest origin of a job that is added once, in bytes. */
export const MAX_ORIGIN_BYTES = 255;

/** The latest time a job can be given, in milliseconds since 1970: 48 bits, the year 10,889. */
export const MAX_TIME = 2 ** 48 - 1;

/** How many settings a storage keeps. */
export const MAX_SETTINGS = 25_000;

/** The longest name of a setting, in bytes: there is room for a function's name in it. */
export const MAX_SETTING_NAME_BYTES = MAX_FUNCTION_BYTES + 24;

/** The longest value of a setting, in bytes of UTF-8. */
export const MAX_SETTING_BYTES = 16 * 1024;

/** About how many bytes of workloads are leased at once, and wait in memory for workers: no more of a function and priority. */
export const LEASE_BYTES = 16 * 1024 * 1024;

/** Refuses a job no storage could keep. */
export function checkJob(job: JobRecord): void {
  if (job.function.length === 0 || job.function.length > MAX_FUNCTION_BYTES) {
    throw invalid(`a function must have 1 to ${MAX_FUNCTION_BYTES} bytes, this one has ${job.function.length}`);
  }
  if (job.handle.length === 0 || job.handle.length > MAX_HANDLE_BYTES) {
    throw invalid(`a handle must have 1 to ${MAX_HANDLE_BYTES} bytes, this one has ${job.handle.length}`);
  }
  checkTime(job.at);
  if (job.acceptedAt !== undefined) checkTime(job.acceptedAt);
}

/** Refuses a time that is no number of milliseconds since 1970. */
export function checkTime(at: number): void {
  if (!(at >= 0 && at <= MAX_TIME && Number.isInteger(at))) {
    throw invalid(`a time must be a whole number of milliseconds from 0 to ${MAX_TIME}, this one is ${at}`);
  }
}

/** Refuses an origin no storage could keep. */
export function checkOrigin(origin: string): void {
  if (origin.length === 0 || origin.length > MAX_ORIGIN_BYTES) {
    throw invalid(`an origin must have 1 to ${MAX_ORIGIN_BYTES} bytes, this one has ${origin.length}`);
  }
}

/** Refuses a setting no storage could keep beside those it has. */
export function checkSetting(name: string, value: string | undefined, settings: ReadonlyMap<string, string>): void {
  if (name.length === 0 || name.length > MAX_SETTING_NAME_BYTES) {
    throw invalid(`a setting's name must have 1 to ${MAX_SETTING_NAME_BYTES} bytes, this one has ${name.length}`);
  }
  if (value === undefined) return;
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_SETTING_BYTES) {
    throw invalid(`a setting must have at most ${MAX_SETTING_BYTES} bytes, this one has ${bytes}`);
  }
  if (settings.size >= MAX_SETTINGS && !settings.has(name)) {
    throw invalid(`a storage keeps at most ${MAX_SETTINGS} settings`);
  }
}

/** The longest id of a schedule, in bytes. */
const MAX_SCHEDULE_ID_BYTES = 255;

/** Refuses a tick no storage could keep. */
export function checkTick(id: string, tick: number): void {
  if (id.length === 0 || id.length > MAX_SCHEDULE_ID_BYTES) {
    throw invalid(`a schedule's id must have 1 to ${MAX_SCHEDULE_ID_BYTES} bytes, this one has ${id.length}`);
  }
  checkTime(tick);
}

function invalid(message: string): StorageError {
  return new StorageError('GEARMAN_STORAGE_INVALID', message);
}
