import { harmlessJson } from '../../ground/index.js';
import { showText } from '../../protocol/index.js';

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
  return `${harmlessJson(json)}\n`;
}
