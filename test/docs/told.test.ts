import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { COMMANDS } from '../../lib/cli/commands.js';
import { LIMITS, QUEUE, RECURRING, SEEN, WEB } from '../../lib/cli/job-server/own-options.js';
import { ADMIN_WORDS } from '../../lib/job-server/front/admin-commands.js';
import { handlerOptionsOf } from '../../lib/transport/handler-options.js';
import { ROOT } from '../support/built.js';

/** The lines of a page that begin so. */
function linesOf(page: string, beginning: RegExp): string {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  return lines.filter((line) => beginning.test(line)).join('\n');
}

it.each(ADMIN_WORDS)('docs/SEMANTICS.md tells of the admin word %s: in a heading', (word) => {
  expect(linesOf('docs/SEMANTICS.md', /^### /)).toMatch(new RegExp(`\\b${word}\\b`));
});

it.each(Object.keys(COMMANDS))('docs/command-line.md tells of the command %s: in a row, or by a call of it', (name) => {
  expect(linesOf('docs/command-line.md', /^\| [^|]*`|nestjs-gearman/)).toMatch(
    new RegExp(`^\\| [^|]*\`${name}\`|nestjs-gearman ${name}(?![\\w-])`, 'm'),
  );
});

it.each(Object.keys(handlerOptionsOf({}, 'f')))('docs/strategy.md tells of the option %s: in a row', (option) => {
  expect(linesOf('docs/strategy.md', /^\| `/)).toContain(`| \`${option}\``);
});

const OWN_OPTIONS = Object.keys({ ...QUEUE, ...LIMITS, ...RECURRING, ...SEEN, ...WEB });
/** Former names, which only `--help` tells. */
const FORMER = ['lmdb-path', 'lmdb-durability'];

it.each(OWN_OPTIONS.filter((name) => !FORMER.includes(name)))('a page tells of --%s of job-server', (name) => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((page) => page.endsWith('.md'));
  expect(pages.filter((page) => linesOf(`docs/${page}`, new RegExp(`--${name}(?![\\w-])`)) !== '')).not.toEqual([]);
});
