/** How much of a value a message shows, in characters. */
const MAX_SHOWN = 200;

/** A value as a message shows it: texts in quotes, objects as JSON, cut after {@link MAX_SHOWN} characters. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : textOf(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

function textOf(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    // An object that contains itself, or a BigInt, cannot become JSON.
    return Object.prototype.toString.call(value);
  }
}
