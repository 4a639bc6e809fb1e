/** Characters that are invisible, or change the direction of the text around them; each is shown by its number. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|\ud800[^\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

/** A peer's text in one line in which every character is visible. */
export function readable(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.charCodeAt(0);
    return SHORT[character] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

/** A function's name; if it is no UTF-8, its bytes. */
export function readableName(name: string, name64?: string): string {
  return name64 === undefined ? readable(name) : readableBytes(bytesOf64(name64));
}

/** Bytes as text; each byte that is no UTF-8 is shown by its number. */
export function readableBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = lengthAt(bytes, at);
    if (length === 0) text += `\\x${hex(bytes[at]!, 2)}`;
    else text += readable(new TextDecoder().decode(bytes.subarray(at, at + length)));
    at += length || 1;
  }
  return text;
}

/** Bytes in the form in which the API sends them within JSON. */
export interface BytesInJson {
  readonly text?: string;
  readonly base64?: string;
}

export function bytesIn(told: BytesInJson | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (told?.text !== undefined) return new TextEncoder().encode(told.text);
  return told?.base64 === undefined ? undefined : bytesOf64(told.base64);
}

/** Decodes base64 or base64url. */
export function bytesOf64(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
}

/** The UTF-8 bytes of a text in base64url, for `function64`. */
export function base64url(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** How many bytes the character has that begins here; 0 if they are no character. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if ((first >= 0x80 && first < 0xc2) || first > 0xf4) return 0;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
