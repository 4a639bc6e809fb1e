import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing. Answers which must be
 * synced ({@link syncFolders}) once there is a file in it: itself, and whatever
 * has one more entry now.
 */
export function makeFolder(path: string): string[] {
  const first = mkdirSync(path, { recursive: true });
  const folders = [path];
  if (first === undefined) return folders;
  const last = dirname(first);
  for (let folder = path; folder !== last && folder !== dirname(folder);) folders.push((folder = dirname(folder)));
  return folders;
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
