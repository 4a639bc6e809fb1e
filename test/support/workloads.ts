/** Workloads that every bridge must carry unchanged. */
export const WORKLOADS: readonly (readonly [title: string, bytes: Buffer])[] = [
  ['text', Buffer.from('Hello world!')],
  ['UTF-8', Buffer.from('Grüße, 日本 👍')],
  ['every byte', Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))],
  ['nothing', Buffer.alloc(0)],
  ['1 MiB', Buffer.alloc(1024 * 1024, 'one mebibyte of text and \0 bytes')],
];

/** The bytes from last to first, which is the answer of every `reverse` in the tests. */
export function reversed(bytes: Buffer): Buffer {
  return Buffer.from(bytes).reverse();
}
