import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { expect, it } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { mustSucceed, run } from '../support/run.js';
import { tempDir } from '../support/temp-dir.js';

requireBuild();

/** What `dist` may have without its maps, in bytes. */
const MOST_BYTES = 2_100_000;
/** How many files of JavaScript it may have: each one more is read at a start. */
const MOST_FILES = 75;

it('the command needs no package, Nest least of all: its modules would be most of what a start costs', async () => {
  const folder = tempDir();
  for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const command = [join(folder, 'dist/cli/main.js'), 'job-server', '--port', '0', '--web-port', '0', '--check-args'];
  expect(await run('node', command, { cwd: folder })).toMatchObject({ code: 0, stderr: '' });
});

it('what is built stays small', () => {
  const files = readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' });
  const sizes = files.filter((file) => !file.endsWith('.map')).map((file) => statSync(join(ROOT, 'dist', file)));
  const bytes = sizes.filter((stat) => stat.isFile()).reduce((sum, { size }) => sum + size, 0);
  expect(bytes).toBeGreaterThan(MOST_BYTES / 2);
  expect(bytes).toBeLessThan(MOST_BYTES);
  expect(files.filter((file) => file.endsWith('.js')).length).toBeLessThan(MOST_FILES);
});

it('what is built is of our sources alone', () => {
  const maps = readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.map'),
  );
  const sources = maps.flatMap((map) => {
    const { sources } = JSON.parse(readFileSync(join(ROOT, 'dist', map), 'utf8')) as { sources: string[] };
    return sources.map((source) => relative(ROOT, resolve(ROOT, 'dist', dirname(map), source)));
  });
  expect(sources).toContain(join('lib', 'job-server', 'job-server.ts'));
  expect(sources.filter((source) => !source.startsWith(`lib${sep}`))).toEqual([]);
});

it('every class has its own name, and is one and the same whichever entry point it is imported from', async () => {
  const script = `
    const classes = new Map();
    for (const room of ['', '/job-server', '/telemetry', '/testing', '/web']) {
      for (const [name, value] of Object.entries(await import('nestjs-gearman' + room))) {
        if (!/^class |^function/.test(typeof value === 'function' ? String(value) : '')) continue;
        if (value.name !== name) console.log(name, 'is called', value.name);
        if ((classes.get(name) ?? value) !== value) console.log('there are two of', name);
        classes.set(name, value);
      }
    }
    console.log(classes.size > 50, classes.has('GearmanModule'));`;
  const { stdout } = await mustSucceed('node', ['--input-type=module', '--eval', script], { cwd: ROOT });
  expect(stdout).toBe('true true\n');
});

it('a stack trace tells the place in the source, also where a class has got its name back', async () => {
  const script = `
    const { JobServer } = await import('nestjs-gearman/job-server');
    try {
      new JobServer({ port: 4730 });
    } catch ({ stack }) {
      console.log(stack);
    }`;
  const line = ['--enable-source-maps', '--input-type=module', '--eval', script];
  const { stdout } = await mustSucceed('node', line, { cwd: ROOT });
  const [, file, row, column] = /(lib\/[^:]+):(\d+):(\d+)/.exec(stdout)!;
  const text = readFileSync(join(ROOT, file!), 'utf8').split('\n')[Number(row) - 1]!;
  expect(text.slice(Number(column) - 1)).toMatch(/^new InvalidOptionError\(/);
});
