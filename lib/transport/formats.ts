import { isUtf8 } from 'node:buffer';
import { GearmanError } from '../ground/index.js';

/** The values of a `format` option, in the order in which messages list them. */
export const WORKLOAD_FORMATS = ['json', 'text', 'raw', 'auto'] as const;

/**
 * How a value becomes the bytes of a workload, and bytes a value again.
 *
 * | format | a value is | zero bytes are |
 * | --- | --- | --- |
 * | `json` | anything JSON holds | `undefined` |
 * | `text` | a string, in UTF-8 | `''` |
 * | `raw` | a Buffer (any `Uint8Array` to send) | an empty Buffer |
 * | `auto` | JSON if the bytes parse as JSON, else text | `''` |
 *
 * Both sides declare the format; it is never guessed. The exception is `auto`,
 * and it has traps: the text `42` arrives as a number, and the text `null` as
 * null. In every format a Buffer is sent as its bytes, and `undefined` as zero
 * bytes.
 */
export type WorkloadFormat = (typeof WORKLOAD_FORMATS)[number];

/** The format if nobody declared one. */
export const DEFAULT_FORMAT: WorkloadFormat = 'json';

/**
 * A value that its format cannot represent, or a workload that is invalid in its
 * format. Mostly the two sides of a function have declared different formats.
 */
export class WorkloadFormatError extends GearmanError {
  override readonly name = 'WorkloadFormatError';

  constructor(
    /** The function that the workload or result belongs to. */
    readonly functionName: string,
    /** The format that was declared here. */
    readonly format: WorkloadFormat,
    problem: string,
    cure: string,
    cause?: unknown,
  ) {
    super(
      'GEARMAN_INVALID_WORKLOAD',
      `function "${functionName}": ${problem} (format '${format}'); ` +
        `${cure} on both sides (format: ${WORKLOAD_FORMATS.map((name) => `'${name}'`).join(' | ')})`,
      { cause },
    );
  }
}

/** Turns a value into bytes. Throws {@link WorkloadFormatError}. */
export function encodeWorkload(value: unknown, format: WorkloadFormat, functionName: string): Buffer {
  if (value === undefined) return NO_BYTES;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  try {
    return ENCODERS[format](value);
  } catch (error) {
    throw new WorkloadFormatError(
      functionName,
      format,
      `the value to send ${messageOf(error)}`,
      'send a value it can hold, or declare another format',
      error,
    );
  }
}

/** Turns bytes into a value. Throws {@link WorkloadFormatError}. */
export function decodeWorkload(bytes: Buffer, format: WorkloadFormat, functionName: string): unknown {
  try {
    return DECODERS[format](bytes);
  } catch (error) {
    throw new WorkloadFormatError(
      functionName,
      format,
      `the bytes received ${messageOf(error)}`,
      'declare the same format',
      error,
    );
  }
}

const NO_BYTES = Buffer.alloc(0);

const ENCODERS: Record<WorkloadFormat, (value: unknown) => Buffer> = {
  json: encodeJson,
  text: (value) => {
    if (typeof value !== 'string') throw new TypeError(`must be a string or a Buffer, not ${kindOf(value)}`);
    return Buffer.from(value, 'utf8');
  },
  raw: (value) => {
    throw new TypeError(`must be a Buffer, not ${kindOf(value)}`);
  },
  auto: (value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : encodeJson(value)),
};

const DECODERS: Record<WorkloadFormat, (bytes: Buffer) => unknown> = {
  json: (bytes) => (bytes.length === 0 ? undefined : parseJson(decodeText(bytes))),
  text: decodeText,
  raw: (bytes) => bytes,
  auto: (bytes) => {
    const text = decodeText(bytes);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text; // `auto` means just this
    }
  },
};

function encodeJson(value: unknown): Buffer {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new TypeError(`cannot be written as JSON: ${(error as Error).message}`, { cause: error });
  }
  if (json === undefined) throw new TypeError(`cannot be written as JSON: it is ${kindOf(value)}`);
  return Buffer.from(json, 'utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`are not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function decodeText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TypeError('are not UTF-8');
  return bytes.toString('utf8');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
