/** How many characters are kept: as many as a dead letter keeps. */
const MAX_LENGTH = 4_096;

/** What somebody threw, as a text for people: an error's message, or its name if it has no message. Never throws. */
export function thrownWords(thrown: unknown): string {
  try {
    const words = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
    return words.slice(0, MAX_LENGTH).replace(/[\ud800-\udbff]$/, '');
  } catch {
    return 'something that is no text';
  }
}
