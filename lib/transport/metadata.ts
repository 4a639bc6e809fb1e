/**
 * What travels beside a workload: a trace id, a tenant, a locale. Nest's
 * `setOnDispatchHook` writes it, `GearmanContext#getMetadata` reads it.
 */
export type GearmanMetadata = Record<string, string>;

/**
 * What a workload with metadata begins with. No text and no JSON begins with
 * a NUL, so only raw bytes could look like it, one in 2^64 of them.
 */
const MARK = Buffer.from('\0NGMETA1', 'latin1');
const HEAD_BYTES = MARK.length + 4;

/**
 * Metadata and workload as one workload:
 *
 *   mark (8 bytes) | length of the JSON (4, big-endian) | JSON object | workload
 *
 * Only workers that know the mark can read it, so it is sent only where the
 * client was told `metadata: true`.
 */
export function frameMetadata(metadata: GearmanMetadata, workload: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(metadata), 'utf8');
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  MARK.copy(head);
  head.writeUInt32BE(json.length, MARK.length);
  return Buffer.concat([head, json, workload]);
}

/** A workload, parted from the metadata that came with it. */
export interface UnframedWorkload {
  readonly workload: Buffer;
  /** Missing where the workload came bare, as every foreign client sends it. */
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

/** Whether a worker of ours would take these bytes for a workload with metadata. */
export function isMarked(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes.length >= HEAD_BYTES && MARK.equals(bytes.subarray(0, MARK.length));
}

function parseMetadata(json: string): GearmanMetadata | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isMetadata(value) ? value : undefined;
  } catch {
    return undefined; // not a frame of ours: the bytes are the workload
  }
}

/** Whether a value is metadata: an object of strings. */
export function isMetadata(value: unknown): value is GearmanMetadata {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((entry) => typeof entry === 'string');
}
