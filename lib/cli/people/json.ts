import { harmlessJson } from '../../ground/index.js';
import { showText } from '../../protocol/index.js';

const HAS_LONE_BYTE = /\p{Cs}/u;

/**
 * Rows as one line of JSON, also harmless on a terminal. The values are the exact
 * names. Only a name that is no UTF-8, which many readers of JSON refuse, is
 * escaped as people see it.
 */
export function jsonLine(rows: readonly object[]): string {
  const json = JSON.stringify(rows, (_, value: unknown) =>
    typeof value === 'string' && HAS_LONE_BYTE.test(value) ? showText(value) : value,
  );
  return `${harmlessJson(json)}\n`;
}
