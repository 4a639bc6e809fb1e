import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './built.js';

/** A piece of TypeScript in the documentation. */
export interface CodeBlock {
  /** The page, and the line at which its code begins: `docs/client.md:12`. */
  readonly place: string;
  /** The code, behind the code that the page takes for granted. */
  readonly code: string;
  /** How many lines of `code` are taken for granted. */
  readonly givenLines: number;
  /** What it prints, if the page says so: then a test runs it. */
  readonly prints: string | undefined;
}

/** The pages whose code is checked. */
export function pages(): string[] {
  const guides = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...guides.map((name) => `docs/${name}`)];
}

/**
 * The TypeScript of a page: every block fenced as `ts`. Comments before a fence,
 * which readers do not see, tell what a test needs to know about the block:
 *
 *   <!-- given
 *   import { GearmanClient } from 'nestjs-gearman';
 *   declare const client: GearmanClient;
 *   -->
 *   <!-- prints: !dlrow olleH -->
 */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = text.matchAll(/((?:<!--[\s\S]*?-->\s*)*)^```ts\n([\s\S]*?)^```$/gm);
  return Array.from(blocks, (match) => {
    const [whole, comments = '', code = ''] = match;
    const given = /<!-- given\n([\s\S]*?)-->/.exec(comments)?.[1] ?? '';
    const start = match.index + whole.length - code.length - '```'.length;
    return {
      place: `${page}:${lineOf(text, start)}`,
      code: `${given}${code}`,
      givenLines: lineOf(given, given.length) - 1,
      prints: /<!-- prints: (.*?) -->/.exec(comments)?.[1],
    };
  });
}

/** The number of the line, from 1, that contains the character at `index`. */
function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
