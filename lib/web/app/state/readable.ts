/** Characters that show nothing, or turn what is around them: each is told by its number instead. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|\ud800[^\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

/** A text of a peer's as one line in which each character is seen. */
export function readable(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.charCodeAt(0);
    return SHORT[character] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

/** A function's name: one that is no UTF-8 by its bytes. */
export function readableName(name: string, name64?: string): string {
  return name64 === undefined ? readable(name) : readableBytes(bytesOf64(name64));
}

/** Bytes as text where they are UTF-8; each of the others by its number. */
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

/** Bytes as the API tells them within JSON. */
export interface BytesInJson {
  readonly text?: string;
  readonly base64?: string;
}

export function bytesIn(told: BytesInJson | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (told?.text !== undefined) return new TextEncoder().encode(told.text);
  return told?.base64 === undefined ? undefined : bytesOf64(told.base64);
}

/** Of base64, and of base64url. */
export function bytesOf64(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
}

/** The bytes of a text in base64url, as `function64` wants them. */
export function base64url(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** How many bytes make the character that begins here; 0: they make none. */
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
