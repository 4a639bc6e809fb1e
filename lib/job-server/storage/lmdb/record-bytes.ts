/** A record's bytes end before what they announce, or hold something impossible. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** How many bytes a number takes as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** How many bytes a byte string takes with its length before it. */
export function stringBytes(value: string): number {
  return varintBytes(value.length) + value.length;
}

/** Shorter strings are written byte by byte, which costs less than a call of `Buffer.write`. */
const SHORT_STRING = 24;

/** Writes the fields of a record one after the other into bytes that are long enough. */
export class RecordWriter {
  readonly bytes: Buffer;
  /** Where the next field goes. */
  private offset = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** How many bytes are written. */
  get length(): number {
    return this.offset;
  }

  /** Leaves bytes for later. */
  skip(bytes: number): void {
    this.offset += bytes;
  }

  byte(value: number): void {
    this.bytes[this.offset++] = value;
  }

  /** A whole number from 0, seven bits a byte, the lowest first. */
  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.offset++] = (rest % 0x80) | 0x80;
    this.bytes[this.offset++] = rest;
  }

  /** A byte string, its length before it. */
  string(value: string): void {
    this.varint(value.length);
    this.rest(value);
  }

  /** Bytes up to the record's end. */
  rest(value: string | Uint8Array): void {
    const { bytes, offset } = this;
    this.offset += value.length;
    if (typeof value !== 'string') bytes.set(value, offset);
    else if (value.length > SHORT_STRING) bytes.write(value, offset, 'latin1');
    else for (let index = 0; index < value.length; index++) bytes[offset + index] = value.charCodeAt(index);
  }
}

/** Up to this size the rest of a record is read as a byte string, the cheapest form in memory; above as bytes. */
const LONGEST_STRING_BYTES = 4_096;

/** Reads the fields of a record one after the other; throws {@link RecordError} where the bytes end too early. */
export class RecordReader {
  private offset = 0;

  /** @param bytes LMDB's, valid for the moment: nothing read from them keeps them. */
  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  byte(): number {
    this.check(1);
    return this.bytes[this.offset++] as number;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RecordError('a number has more than 56 bits');
  }

  string(): string {
    const length = this.varint();
    if (length === 0) return '';
    this.check(length);
    const start = this.offset;
    this.offset += length;
    return this.bytes.toString('latin1', start, this.offset);
  }

  /** So many bytes. */
  part(length: number): Buffer {
    this.check(length);
    const start = this.offset;
    this.offset += length;
    return this.bytes.subarray(start, this.offset);
  }

  /** Everything up to the end. */
  rest(): string | Uint8Array {
    const start = this.offset;
    this.offset = this.bytes.length;
    if (this.offset - start <= LONGEST_STRING_BYTES) return this.bytes.toString('latin1', start, this.offset);
    return Uint8Array.prototype.slice.call(this.bytes, start, this.offset);
  }

  private check(bytes: number): void {
    if (this.offset + bytes > this.bytes.length) {
      throw new RecordError(`a field ends at byte ${this.offset + bytes}, the record at ${this.bytes.length}`);
    }
  }
}
