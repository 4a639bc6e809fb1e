import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Fails unless `dist` is there and as new as `lib`: what a test runs that way must be what it means to test. */
export function requireBuild(): void {
  const built = timeOf(join(ROOT, 'dist/index.js'));
  if (built < newestIn(join(ROOT, 'lib')))
    throw new Error('dist is missing or older than lib: run `npm run build` first');
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map((file) => timeOf(join(file.parentPath, file.name))));
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
