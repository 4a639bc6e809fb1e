import { exactText, fromByteString, type ByteString } from '../protocol/index.js';

/** A function as an answer names it: one whose name is no UTF-8 with its bytes as well. */
export function nameFields(name: ByteString): { name: string; name64?: string } {
  const text = fromByteString(name);
  if (exactText(name) === text) return { name: text };
  return { name: text, name64: Buffer.from(name, 'latin1').toString('base64url') };
}
