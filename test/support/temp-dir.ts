import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';

/** A new directory of this test file's own, gone when it is over. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
