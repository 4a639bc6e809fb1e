import { InvalidOptionError } from '../ground/index.js';
import { type GearmanMetadata } from '../driver/index.js';
import { decodeWorkload, encodeWorkload, type WorkloadFormat } from './formats.js';

/** What a serializer gets in addition to the packet. */
export interface WorkloadDescription {
  /** The function's name, with the prefix. */
  readonly function: string;
  /** The format declared for it; a serializer with a format of its own ignores it. */
  readonly format: WorkloadFormat;
}

/** What a client sends: `data` becomes the workload. */
export interface RequestPacket {
  readonly pattern?: unknown;
  readonly data: unknown;
  readonly metadata?: GearmanMetadata;
}

/** What a handler answers: `response` becomes the workload of WORK_COMPLETE or WORK_DATA. */
export interface ResponsePacket {
  readonly response: unknown;
}

/**
 * Turns a packet into bytes, synchronously: a promise is refused. Pass one as the
 * option `serializer` for a format that the option `format` does not have.
 */
export interface GearmanSerializer<TPacket> {
  serialize(packet: TPacket, workload: WorkloadDescription): Uint8Array | string;
}

/** Turns bytes into a packet, synchronously: a promise is refused. Pass one as the option `deserializer`. */
export interface GearmanDeserializer<TPacket> {
  deserialize(bytes: Buffer, workload: WorkloadDescription): TPacket;
}

/** The default serializer and deserializer of requests: by the format. */
export const REQUEST_FORMATS: GearmanSerializer<RequestPacket> & GearmanDeserializer<RequestPacket> = {
  serialize: ({ data }, workload) => encodeWorkload(data, workload.format, workload.function),
  deserialize: (bytes, workload) => ({ data: decodeWorkload(bytes, workload.format, workload.function) }),
};

/** The default serializer and deserializer of responses: by the format. */
export const RESPONSE_FORMATS: GearmanSerializer<ResponsePacket> & GearmanDeserializer<ResponsePacket> = {
  serialize: ({ response }, workload) => encodeWorkload(response, workload.format, workload.function),
  deserialize: (bytes, workload) => ({ response: decodeWorkload(bytes, workload.format, workload.function) }),
};

/** The output of a serializer as bytes. Throws if it is neither bytes nor text. */
export function bytesOf(serialized: unknown): Uint8Array {
  if (typeof serialized === 'string') return Buffer.from(serialized, 'utf8');
  if (serialized instanceof Uint8Array) return serialized;
  throw new InvalidOptionError('serializer', 'must return a Buffer or a text, not a promise');
}

/** The output of a deserializer. Throws if it is no packet. */
export function packetOf<TPacket extends object>(deserialized: TPacket): TPacket {
  if (typeof deserialized === 'object' && deserialized !== null && !('then' in deserialized)) return deserialized;
  throw new InvalidOptionError('deserializer', 'must return a packet ({ data } or { response }), not a promise');
}
