import { storageError } from './file-errors.js';
import { makeFolder, syncFolders } from './folder.js';
import { FolderOwner } from './folder-owner.js';
import { FreeRoom } from './free-room.js';
import { Reserve } from './reserve.js';

/** A folder that is this process's until it leaves it: made where it was missing, claimed, and with some room kept free. */
export class OwnedFolder {
  readonly room: FreeRoom;

  private constructor(
    readonly path: string,
    readonly owner: FolderOwner,
    readonly reserve: Reserve,
  ) {
    this.room = new FreeRoom(path);
  }

  /** Throws GEARMAN_STORAGE_IN_USE, or what the file system throws. */
  static open(path: string): OwnedFolder {
    const folders = makeFolder(path);
    const reserve = new Reserve(path);
    const owner = claim(path, reserve);
    try {
      syncFolders(folders);
    } catch (error) {
      owner.leave();
      throw error;
    }
    return new OwnedFolder(path, owner, reserve);
  }

  leave(): void {
    this.reserve.giveUp();
    this.owner.leave();
  }
}

/** Claims a folder, in the room that was kept free where the disk is full. */
function claim(path: string, reserve: Reserve): FolderOwner {
  try {
    return FolderOwner.claim(path);
  } catch (error) {
    if (storageError(error, path).code !== 'GEARMAN_STORAGE_FULL' || !reserve.giveUp()) throw error;
    return FolderOwner.claim(path);
  }
}
