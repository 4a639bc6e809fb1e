import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip, gzip, type Gzip } from 'node:zlib';
import { whenClosed } from './connections.js';

/** What is shorter is sent as it is, in bytes: packed it would be no shorter. */
const LEAST = 1_024;

/**
 * How answers are packed. A small window: 256 event streams of Node's usual one
 * would hold 64 MB, of these 24.
 */
const PACKING = { level: 5, windowBits: 14, memLevel: 6 } as const;

/** Whether who asks takes gzip. */
export function acceptsGzip(request: IncomingMessage | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\b(?!\.))/.test(String(request?.headers['accept-encoding'] ?? ''));
}

/** The headers of an answer that is packed. */
export function packedHeaders(isPacked: boolean): Record<string, string> {
  return { Vary: 'Accept-Encoding', ...(isPacked && { 'Content-Encoding': 'gzip' }) };
}

/** Where the body of an answer of any length is written, whose headers were sent: there it is packed, if it was said so. */
export function bodyOf(response: ServerResponse, isPacked: boolean): Writable {
  if (!isPacked) return response;
  const packer = createGzip(PACKING);
  packer.pipe(response);
  whenClosed(response, () => packer.destroy());
  return packer;
}

/** Packs what is written to it so that each part can be read as soon as it was written. */
export function eventPacker(): Gzip {
  return createGzip({ ...PACKING, flush: constants.Z_SYNC_FLUSH });
}

/** The bytes of an answer, packed if who asks takes that and it is worth it. */
export async function packed(response: ServerResponse, bytes: Buffer): Promise<{ bytes: Buffer; isPacked: boolean }> {
  if (bytes.length < LEAST || !acceptsGzip(response.req)) return { bytes, isPacked: false };
  return new Promise((resolve) => {
    gzip(bytes, PACKING, (error, result) => {
      resolve(error ? { bytes, isPacked: false } : { bytes: result, isPacked: true });
    });
  });
}
