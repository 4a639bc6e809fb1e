import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing. Answers which must be
 * synced ({@link syncFolders}) once there is a file in it: itself, and whatever
 * has one more entry now.
 *
 * Each is made by itself: where the system says that there is no such file
 * though the folder above is there, as below /proc, Node's `recursive` tries
 * for ever, and nothing but SIGKILL ends the process.
 *
 * @param mode of folders that are made.
 */
export function makeFolder(path: string, mode = 0o777): string[] {
  if (isFolder(path)) return [path];
  const above = dirname(path);
  const folders = above === path ? [] : makeFolder(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isFolder(path)) throw error;
  }
  return [path, ...folders];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Has the names in folders written to disk, which fsync of a new file does not promise. */
export function syncFolders(folders: readonly string[]): void {
  // Windows cannot sync a folder.
  if (process.platform === 'win32') return;
  for (const path of folders) {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

/** The same for one folder, without holding up the event loop. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
