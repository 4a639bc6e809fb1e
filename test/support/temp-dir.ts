import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';

/** A new directory for this test file, deleted when the file is over. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
