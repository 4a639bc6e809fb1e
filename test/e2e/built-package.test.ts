import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { run } from '../support/run.js';
import { tempDir } from '../support/temp-dir.js';

requireBuild();

/** What `dist` may have without its maps, in bytes. */
const MOST_BYTES = 2_600_000;

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
});
