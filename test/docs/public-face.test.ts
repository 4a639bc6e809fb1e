import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../support/built.js';
import { mustSucceed } from '../support/run.js';
import { tempDir } from '../support/temp-dir.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Everything that tells a person or a machine to run something of the project. */
const TELLING = [
  ...readdirSync(join(ROOT, '.github/workflows')).map((name) => `.github/workflows/${name}`),
  '.github/pull_request_template.md',
  '.devcontainer/devcontainer.json',
  '.ci/run',
  'Containerfile',
  'CONTRIBUTING.md',
  'docs/RELEASING.md',
  'README.md',
];

describe('what is told to be run', () => {
  it.each(TELLING)('in %s is there', (page) => {
    const text = read(page);
    const named = Array.from(text.matchAll(/\bnpm run (?:--silent )?([a-z][a-z0-9:]*)/g), ([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const files = Array.from(text.matchAll(/\bbash (\.ci\/[a-z-]+)/g), ([, path = '']) => path);
    expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

it("a release's version is in the code that its tag has", async () => {
  const folder = tempDir();
  for (const path of ['.ci/write-version.mjs', 'lib/ground/version.ts']) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path));
  }
  const { version: script } = scripts;
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'released', version: '4.5.6', scripts: { version: script } }),
  );
  const env = {
    GIT_CONFIG_GLOBAL: join(folder, 'none'),
    GIT_CONFIG_SYSTEM: join(folder, 'none'),
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  };
  const inFolder = { cwd: folder, env };
  await mustSucceed('git', ['init', '--quiet'], inFolder);
  await mustSucceed('git', ['add', '--all'], inFolder);
  await mustSucceed('git', ['commit', '--quiet', '--message', 'Begin'], inFolder);
  await mustSucceed('npm', ['version', 'minor'], inFolder);
  const { stdout } = await mustSucceed('git', ['show', 'v4.6.0:lib/ground/version.ts'], inFolder);
  expect(stdout).toContain("VERSION = '4.6.0'");
});
