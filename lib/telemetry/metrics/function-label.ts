/** The longest name a label holds, in characters; what is longer is cut and told apart by a hash. */
export const MAX_LABEL_LENGTH = 128;

/** What the sum of all functions without a name of their own is called. */
export const OTHER_FUNCTIONS = '_other';

/**
 * A function's name as a label: text, whatever its bytes are, and no two names
 * have one label.
 *
 * The bytes of a name that is no UTF-8 become `\xff`, and backslashes are
 * doubled there, as in a name that only looks like that. Too long a name is cut
 * and ends in `~` and a hash of all of it.
 *
 * @param name a byte string: one character a byte.
 */
export function functionLabel(name: string): string {
  const text = decoded(name);
  if (text.length <= MAX_LABEL_LENGTH) return text.endsWith(OTHER_FUNCTIONS) ? apart(text) : text;
  const hash = `~${hashOf(name)}`;
  // The cut may go through a character that takes two.
  return text.slice(0, MAX_LABEL_LENGTH - hash.length).replace(/[\ud800-\udbff]$/, '') + hash;
}

/** A function that is called as the sum of all others: it gets one backslash more. */
function apart(text: string): string {
  return /^\\*_other$/.test(text) ? `\\${text}` : text;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(name: string): string {
  const doubled = (): string => name.replaceAll('\\', '\\\\');
  const looksEscaped = /\\x[0-9a-f]{2}/.test(name);
  // Nearly every name is ASCII.
  if (/^[\x00-\x7f]*$/.test(name)) return looksEscaped ? doubled() : name;
  try {
    return UTF8.decode(Uint8Array.from(looksEscaped ? doubled() : name, (character) => character.charCodeAt(0)));
  } catch {
    return doubled().replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  }
}

/** FNV-1a, 32 bits as hex: two cut names with one hash would share a label, one chance in four thousand million. */
function hashOf(name: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
