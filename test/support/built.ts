import { readdirSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Fails unless `dist` exists and is as new as `lib`, so that a test of the build tests the present code. */
export function requireBuild(): void {
  requireNewer('dist/index.js', 'lib', 'npm run build');
}

/** The built main file of a sample; fails unless sample and package are built from the present code. */
export function builtSample(name: string): string {
  requireBuild();
  return requireNewer(`sample/${name}/dist/main.js`, `sample/${name}`, 'npm run build:samples');
}

function requireNewer(built: string, source: string, cure: string): string {
  const file = join(ROOT, built);
  if (timeOf(file) >= newestIn(join(ROOT, source))) return file;
  throw new Error(`${built} is missing or older than ${source}: run \`${cure}\` first`);
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  const sources = paths.filter((path) => /\.(tsx?|mjs|css|html)$/.test(path) && !path.includes(`${sep}dist${sep}`));
  return Math.max(...sources.map(timeOf));
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
