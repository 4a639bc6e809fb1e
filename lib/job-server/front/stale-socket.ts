import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/** Removes a unix socket that a killed job server left behind; false where the path is anything else. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket() || !(await isStale(path))) return false;
  unlinkSync(path);
  return true;
}

/** True when nobody accepts connections there. */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
