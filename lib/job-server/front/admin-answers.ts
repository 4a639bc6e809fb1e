/** The word is done, as gearmand says it. */
export const OK = 'OK\r\n';

/** The end of a list. */
export const END = '.\n';

/** A word that takes arguments lacks some. */
export function incomplete(word: string): string {
  return `ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+${word}\r\n`;
}
