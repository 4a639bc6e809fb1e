/** A value as JSON in one line of ASCII, for admin lines: every other character is escaped. */
export function asciiJson(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, replacer).replace(/[^ -~]/g, escaped);
}
