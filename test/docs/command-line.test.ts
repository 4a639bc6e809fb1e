import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { COMMANDS } from '../../lib/cli/commands.js';
import { OPTIONS, parseJobServerLine } from '../../lib/cli/job-server/options.js';
import { settingsFrom } from '../../lib/cli/job-server/settings.js';
import { ROOT } from '../support/built.js';
import { pages } from '../support/doc-code.js';
import { tempDir } from '../support/temp-dir.js';

/** The crontab that a page shows, as a file. */
function crontabOf(text: string): string {
  const path = join(tempDir(), 'crontab');
  writeFileSync(path, /^```crontab\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '');
  return path;
}

/** The calls of the command in a page's shell code, as words. */
function callsIn(page: string): string[][] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const shell = Array.from(text.matchAll(/^```(?:sh|ini)\n([\s\S]*?)^```$/gm), ([, code = '']) => code).join('\n');
  const calls = shell.replaceAll('\\\n', ' ').matchAll(/nestjs-gearman (.*)$/gm);
  const wordsOf = (line: string): string[] => line.replace(/ [<|#].*$/, '').match(/'[^']*'|\S+/g) ?? [];
  const wordOf = (word: string): string => (word === 'crontab' ? crontabOf(text) : word.replaceAll("'", ''));
  return Array.from(calls, ([, line = '']) => wordsOf(line).map(wordOf));
}

const calls = pages().flatMap((page) => callsIn(page).map((words) => [page, words.join(' '), words] as const));
const helpOf: Record<string, string> = {};

beforeAll(async () => {
  for (const [name, entry] of Object.entries(COMMANDS)) helpOf[name] = (await entry.load()).help();
});

it('the documentation calls the command', () => {
  expect(calls.length).toBeGreaterThanOrEqual(8);
});

it.each(calls)(
  '%s: nestjs-gearman %s, which exists with these options',
  async (_page, _line, [name = '', ...words]) => {
    if (name === 'job-server') {
      await settingsFrom(parseJobServerLine(words), {});
    } else if (!name.startsWith('-')) {
      const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
      for (const option of own.filter((word) => word.startsWith('-'))) {
        expect(helpOf[name]).toMatch(new RegExp(` ${option.replace(/=.*/, '')}[, ]`));
      }
    }
  },
);

it.each(['docs/command-line.md', 'docs/tls-and-limits.md'])('%s names options that there are', (page) => {
  const named = new Set(readFileSync(join(ROOT, page), 'utf8').match(/(?<![\w-])--[a-z][a-z-]*/g));
  const known = [
    ...Object.keys(OPTIONS),
    'server',
    'json',
    'watch',
    'once',
    'interval',
    'background',
    'progress',
    'tls',
    'help',
  ];
  expect([...named].filter((option) => !known.includes(option.slice(2)))).toEqual([]);
});
