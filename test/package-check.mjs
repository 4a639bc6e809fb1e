/*
 * Checks that the package resolves in every kind of app: `node package-check.mjs [tarball]`. Without a
 * tarball it packs the present build, because nothing may build again while tests run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MODULES = resolve(import.meta.dirname, '../node_modules');

function check(tarball) {
  for (const command of [
    ['publint/src/cli.js', '--strict', '--level', 'warning', tarball],
    ['@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--format', 'ascii'],
  ]) {
    const [program, ...args] = command;
    execFileSync(process.execPath, [join(MODULES, program), ...args], { stdio: 'inherit' });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
try {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  check(process.argv[2] ?? join(folder, execFileSync('npm', pack, { encoding: 'utf8' }).trim()));
} catch (error) {
  // The tool has printed what is wrong.
  process.exitCode = error.status || 1;
} finally {
  rmSync(folder, { recursive: true });
}
