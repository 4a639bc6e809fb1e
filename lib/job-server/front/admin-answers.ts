import { LIST_END } from '../../protocol/index.js';

/** The answer to a word that was done, as gearmand writes it. */
export const OK = 'OK\r\n';

/** The end of a list. */
export const END = `${LIST_END}\n`;

/** The `authorize` hook, or the listener, says no. */
export const ADMIN_DENIED = 'ERR ACCESS_DENIED This+job+server+does+not+allow+it\r\n';

/** A word that takes arguments lacks some. */
export function incomplete(word: string): string {
  return `ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+${word}\r\n`;
}

/** What could not be done, and why: a person reads the message as it is, and a program as a URL component. */
export function refused(code: string, { message }: Error): string {
  const text = Buffer.from(message)
    .toString()
    .replace(/[^ -~]+|[%+]/gu, encodeURIComponent)
    .replaceAll(' ', '+');
  return `ERR ${code} ${text}\r\n`;
}
