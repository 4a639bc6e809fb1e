import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The default folder for stored jobs: /tmp is often in memory, /var/tmp is not. */
export const DISK = existsSync('/var/tmp') ? '/var/tmp' : tmpdir();

/** Runs an action with a new folder on a disk; deletes it afterwards. */
export async function withFolder(disk, action) {
  const folder = mkdtempSync(join(disk, 'nestjs-gearman-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await action(folder);
  } finally {
    remove();
    process.off('exit', remove);
  }
}

/** The kind of file system that a directory is on, with a warning if an fsync there costs nothing. */
export function describeDisk(disk) {
  const kind = execFileSync('stat', ['-f', '-c', '%T', disk], { encoding: 'utf8' }).trim();
  return `${disk} (${kind})${kind === 'tmpfs' ? ': held in memory, so these figures say nothing; give --disk' : ''}`;
}
