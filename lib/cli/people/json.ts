import { showText } from '../../protocol/index.js';

/** What a terminal takes for a command, or turns around; JSON leaves it in its texts. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const HAS_LONE_BYTE = /\p{Cs}/u;

/**
 * Rows as JSON, a line that is also harmless on a terminal: the values are the
 * names themselves. Only a name that is no UTF-8, which many readers of JSON
 * refuse altogether, is as it is shown.
 */
export function jsonLine(rows: readonly object[]): string {
  const json = JSON.stringify(rows, (_, value: unknown) =>
    typeof value === 'string' && HAS_LONE_BYTE.test(value) ? showText(value) : value,
  );
  return `${json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
