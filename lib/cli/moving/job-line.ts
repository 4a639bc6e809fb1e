import { isUtf8 } from 'node:buffer';
import { PRIORITY_NAMES } from '../../protocol/index.js';
import type { Death, JobRecord, StoredPriority } from '../../job-server/storage/index.js';

/** Bytes in JSON: text if they are UTF-8, otherwise base64. */
type JsonBytes = string | { readonly base64: string };

/** A job as one line of JSON; a field that is left out is empty or 0. `docs/moving-in.md` describes it for users. */
interface JobLine {
  readonly state: 'waiting' | 'delayed' | 'dead';
  readonly handle: string | { readonly base64: string };
  readonly function: JsonBytes;
  readonly priority: (typeof PRIORITY_NAMES)[number];
  readonly workload: JsonBytes;
  readonly unique?: JsonBytes;
  readonly reducer?: JsonBytes;
  /** The job does not run before this time, in milliseconds since 1970. */
  readonly at?: number;
  /** When it was accepted, in milliseconds since 1970, where that is known. */
  readonly acceptedAt?: number;
  readonly attempts?: number;
  readonly losses?: number;
  /** For a dead letter: its last failure, and when it was given up. */
  readonly error?: string;
  readonly diedAt?: number;
}

/** A job that was read from a line. */
export interface LineJob {
  readonly job: JobRecord;
  readonly death?: Death;
}

/** Writes a job, or a dead letter. @param now a job with a later time is delayed. */
export function lineOf(job: JobRecord, now: number, death?: Death): string {
  const line: JobLine = {
    state: death ? 'dead' : job.at > now ? 'delayed' : 'waiting',
    handle: toJson(job.handle),
    function: toJson(job.function),
    ...(job.unique !== '' && { unique: toJson(job.unique) }),
    priority: PRIORITY_NAMES[job.priority],
    ...(job.reducer !== '' && { reducer: toJson(job.reducer) }),
    ...(job.at > 0 && { at: job.at }),
    ...(job.acceptedAt !== undefined && { acceptedAt: job.acceptedAt }),
    ...(job.attempts > 0 && { attempts: job.attempts }),
    ...(job.losses > 0 && { losses: job.losses }),
    ...(death && { error: death.error, diedAt: death.diedAt }),
    workload: toJson(job.workload),
  };
  return `${JSON.stringify(line)}\n`;
}

/** Reads a line. Throws a LineProblem if it is no job. */
export function parseLine(text: string): LineJob {
  const line = parseJson(text);
  const priority = PRIORITY_NAMES.indexOf(line['priority'] as (typeof PRIORITY_NAMES)[number]);
  if (priority < 0)
    throw new LineProblem(`its priority is ${JSON.stringify(line['priority'])}, not high, normal or low`);
  const job: JobRecord = {
    handle: byteString(line, 'handle'),
    function: byteString(line, 'function'),
    unique: byteString(line, 'unique', ''),
    priority: priority as StoredPriority,
    workload: bytesOf(line, 'workload'),
    reducer: byteString(line, 'reducer', ''),
    at: whole(line, 'at', 0),
    attempts: whole(line, 'attempts', 0),
    losses: whole(line, 'losses', 0),
    ...(line['acceptedAt'] !== undefined && { acceptedAt: whole(line, 'acceptedAt') }),
  };
  switch (line['state']) {
    case 'waiting':
    case 'delayed':
      return { job };
    case 'dead':
      return { job, death: { error: textOf(line, 'error'), diedAt: whole(line, 'diedAt') } };
    default:
      throw new LineProblem(`its state is ${JSON.stringify(line['state'])}, not waiting, delayed or dead`);
  }
}

/** Why a line is no job. */
export class LineProblem extends Error {
  override readonly name = 'LineProblem';
}

type Fields = Readonly<Record<string, unknown>>;

function toJson(bytes: string | Uint8Array): JsonBytes {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const view = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return isUtf8(view) ? view.toString('utf8') : { base64: view.toString('base64') };
}

function parseJson(text: string): Fields {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null) return line as Fields;
  } catch {
    // Reported below.
  }
  throw new LineProblem('it is not a JSON object; was the file cut off?');
}

function bytesOf(line: Fields, name: string): Buffer {
  const value = line[name];
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  const base64 = typeof value === 'object' && value !== null && (value as { base64?: unknown }).base64;
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  throw new LineProblem(`its ${name} is neither a text nor {"base64": "..."}`);
}

function byteString(line: Fields, name: string, missing?: string): string {
  if (missing !== undefined && line[name] === undefined) return missing;
  return bytesOf(line, name).toString('latin1');
}

function whole(line: Fields, name: string, missing?: number): number {
  const value = line[name] ?? missing;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new LineProblem(`its ${name} is ${JSON.stringify(value)}, not a whole number from 0`);
}

function textOf(line: Fields, name: string): string {
  const value = line[name];
  if (typeof value === 'string') return value;
  throw new LineProblem(`its ${name} is ${JSON.stringify(value)}, not a text`);
}
