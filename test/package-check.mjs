/*
 * Whether what would be published resolves, for every kind of app. The tarball
 * is made once, of what is built: no tool builds it again beside the tests.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
try {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const name = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
  const tarball = join(folder, name);
  execFileSync('npx', ['publint', '--strict', '--level', 'warning', tarball], { stdio: 'inherit' });
  execFileSync('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'ascii'], { stdio: 'inherit' });
} catch (error) {
  // The tool has said what is wrong.
  process.exitCode = error.status || 1;
} finally {
  rmSync(folder, { recursive: true });
}
