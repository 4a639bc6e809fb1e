import { InvalidOptionError } from '../ground/index.js';
import { MAX_METADATA_BYTES, type ByteString } from '../protocol/index.js';

/**
 * Metadata that travels beside a workload: a trace id, a tenant, a locale. Nest's
 * `setOnDispatchHook` writes it, `GearmanContext#getMetadata` reads it. At most
 * 8 KiB as JSON; see {@link fitMetadata}.
 */
export type GearmanMetadata = Record<string, string>;

/**
 * The first bytes of a workload with metadata. No text and no JSON begins with
 * a NUL, so only raw bytes could begin like this, one workload in 2^64.
 */
const MARK = Buffer.from('\0NGMETA1', 'latin1');
/** How many bytes a frame has before the JSON. */
export const HEAD_BYTES = MARK.length + 4;

/**
 * Metadata, as JSON in UTF-8, and a workload in one workload:
 *
 *   mark (8 bytes) | length of the JSON (4, big-endian) | JSON object | workload
 *
 * Only workers that know the mark can read it. So it is sent only through job
 * servers without metadata of their own, and only by a client with
 * `metadata: true`.
 */
export function frameMetadata(metadata: ByteString, workload: Uint8Array): Buffer {
  const json = Buffer.from(metadata, 'latin1');
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  MARK.copy(head);
  head.writeUInt32BE(json.length, MARK.length);
  return Buffer.concat([head, json, workload]);
}

/** A workload without the metadata that came in it. */
export interface UnframedWorkload {
  readonly workload: Buffer;
  /** Missing if the workload came bare, as every foreign client sends it. */
  readonly metadata?: GearmanMetadata;
}

/** Undoes {@link frameMetadata}. A workload that is not exactly such a frame is left as it is. */
export function unframeMetadata(bytes: Buffer): UnframedWorkload {
  if (!isMarked(bytes)) return { workload: bytes };
  const end = HEAD_BYTES + bytes.readUInt32BE(MARK.length);
  if (end > bytes.length) return { workload: bytes };
  const metadata = parseMetadata(bytes.toString('utf8', HEAD_BYTES, end));
  return metadata ? { metadata, workload: bytes.subarray(end) } : { workload: bytes };
}

/** Whether a worker of ours would read these bytes as a workload with metadata. */
export function isMarked(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes.length >= HEAD_BYTES && MARK.equals(bytes.subarray(0, MARK.length));
}

/** Whether a value is metadata: an object of strings. */
export function isMetadata(value: unknown): value is GearmanMetadata {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((entry) => typeof entry === 'string');
}

/** The fields that are left out, one after the other, of metadata that is too long: W3C's fields that a trace can do without. */
const EXPENDABLE = ['baggage', 'tracestate'] as const;

/** Metadata that can be sent, and the names of the fields that were left out. */
export interface FittingMetadata {
  readonly metadata: GearmanMetadata;
  readonly leftOut: readonly string[];
}

/**
 * Metadata of at most 8 KiB: if it is longer, `baggage` is left out, then
 * `tracestate`.
 *
 * @throws InvalidOptionError for a value that is no object of texts, or that is still too long without them
 */
export function fitMetadata(metadata: GearmanMetadata): FittingMetadata {
  if (!isMetadata(metadata))
    throw InvalidOptionError.notAllowed('metadata', metadata, 'an object whose values are texts');
  let fitting = metadata;
  const leftOut: string[] = [];
  for (const key of EXPENDABLE) {
    if (isShort(fitting)) break;
    if (!(key in fitting)) continue;
    fitting = Object.fromEntries(Object.entries(fitting).filter(([name]) => name !== key));
    leftOut.push(key);
  }
  if (isShort(fitting)) return { metadata: fitting, leftOut };
  throw new InvalidOptionError(
    'metadata',
    `must have at most ${MAX_METADATA_BYTES} bytes as JSON; send what is longer in the workload`,
  );
}

/** The most bytes that one character needs in JSON: `\u0000`. */
const LONGEST_CHARACTER = 6;
/** The bytes around a name and its value: quotes, colon and comma. */
const AROUND_ENTRY = 6;

function isShort(metadata: GearmanMetadata): boolean {
  let characters = 0;
  let entries = 0;
  for (const key in metadata) {
    entries++;
    characters += key.length + metadata[key]!.length;
  }
  // Most metadata is so short that this estimate settles it without making JSON.
  if (2 + characters * LONGEST_CHARACTER + entries * AROUND_ENTRY <= MAX_METADATA_BYTES) return true;
  return Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES;
}

/** Reads metadata from JSON; undefined if it is no metadata. */
export function parseMetadata(json: string): GearmanMetadata | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isMetadata(value) ? value : undefined;
  } catch {
    return undefined; // another program wrote it
  }
}
