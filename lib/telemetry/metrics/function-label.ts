/** The longest function name in a label, in characters; a longer name is cut, and a hash makes it unique. */
export const MAX_LABEL_LENGTH = 128;

/** The label of all functions that have no label of their own. */
export const OTHER_FUNCTIONS = '_other';

/**
 * A function's name as a label: it is text, whatever the name's bytes are, and
 * two names never have the same label.
 *
 * If a name is no UTF-8, its bytes become `\xff` and its backslashes are
 * doubled; they are also doubled in a name that only looks like that. A name
 * that is too long is cut and ends in `~` and a hash of the whole name.
 *
 * @param name a byte string: one character a byte.
 */
export function functionLabel(name: string): string {
  const text = decoded(name);
  if (text.length <= MAX_LABEL_LENGTH) return text.endsWith(OTHER_FUNCTIONS) ? apart(text) : text;
  const hash = `~${hashOf(name)}`;
  // The cut may split a character of two code units.
  return text.slice(0, MAX_LABEL_LENGTH - hash.length).replace(/[\ud800-\udbff]$/, '') + hash;
}

/** Adds a backslash to a function's name that looks like the label of all others. */
function apart(text: string): string {
  return /^\\*_other$/.test(text) ? `\\${text}` : text;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(name: string): string {
  const doubled = (): string => name.replaceAll('\\', '\\\\');
  const looksEscaped = /\\x[0-9a-f]{2}/.test(name);
  // The short way for nearly all names.
  if (/^[\x00-\x7f]*$/.test(name)) return looksEscaped ? doubled() : name;
  try {
    return UTF8.decode(Uint8Array.from(looksEscaped ? doubled() : name, (character) => character.charCodeAt(0)));
  } catch {
    return doubled().replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  }
}

/** FNV-1a, 32 bits as hex. Two cut names with the same hash would share a label; the chance is one in four thousand million. */
function hashOf(name: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
