import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip, gzip, type Gzip } from 'node:zlib';
import { whenClosed } from './connections.js';

/** Shorter answers are sent unpacked, in bytes: packing would not make them shorter. */
const LEAST = 1_024;

/**
 * How answers are packed. The window is small: with Node's default, 256 event
 * streams would need 64 MB, with this one 24.
 */
const PACKING = { level: 5, windowBits: 14, memLevel: 6 } as const;

/** Whether the client accepts gzip. */
export function acceptsGzip(request: IncomingMessage | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\b(?!\.))/.test(String(request?.headers['accept-encoding'] ?? ''));
}

/** The headers of an answer that is packed, or of one that is not. */
export function packedHeaders(isPacked: boolean): Record<string, string> {
  return { Vary: 'Accept-Encoding', ...(isPacked && { 'Content-Encoding': 'gzip' }) };
}

/** The stream for the body of an answer of any length whose headers were sent; it packs if they said so. */
export function bodyOf(response: ServerResponse, isPacked: boolean): Writable {
  if (!isPacked) return response;
  const packer = createGzip(PACKING);
  packer.pipe(response);
  whenClosed(response, () => packer.destroy());
  return packer;
}

/** Packs in a way that each part can be read as soon as it was written. */
export function eventPacker(): Gzip {
  return createGzip({ ...PACKING, flush: constants.Z_SYNC_FLUSH });
}

/** The bytes of an answer, packed if the client accepts that and it is worth it. */
export async function packed(response: ServerResponse, bytes: Buffer): Promise<{ bytes: Buffer; isPacked: boolean }> {
  if (bytes.length < LEAST || !acceptsGzip(response.req)) return { bytes, isPacked: false };
  return new Promise((resolve) => {
    gzip(bytes, PACKING, (error, result) => {
      resolve(error ? { bytes, isPacked: false } : { bytes: result, isPacked: true });
    });
  });
}
