import { hash } from 'node:crypto';

/** What stands for bytes of any length, in 32 characters of one byte each: nobody can make other bytes that have the same (SHA-256). */
export function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'binary');
}
