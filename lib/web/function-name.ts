import { exactText, fromByteString, type ByteString } from '../protocol/index.js';

/** A function's name as answers contain it: if it is no UTF-8, with its bytes as well. */
export function nameFields(name: ByteString): { name: string; name64?: string } {
  const text = fromByteString(name);
  if (exactText(name) === text) return { name: text };
  return { name: text, name64: Buffer.from(name, 'latin1').toString('base64url') };
}
