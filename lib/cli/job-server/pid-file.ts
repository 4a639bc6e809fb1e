import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { hasProcess } from '../../ground/index.js';
import { Failure } from '../failure.js';

/**
 * The file that tells a service manager the process id. It exists from the moment
 * the job server listens until the job server ends.
 */
export class PidFile {
  /** @throws Failure if the file belongs to a running job server. */
  constructor(private readonly path: string) {
    const owner = this.owner();
    if (owner === undefined || !isJobServer(owner)) return;
    throw new Failure(
      `pid file ${path}: a job server is running already, process ${owner}; end it, or give this one another --pid-file`,
    );
  }

  /** @throws Failure if the file cannot be written. */
  write(): void {
    try {
      writeFileSync(this.path, `${process.pid}\n`, { mode: 0o644 });
    } catch (error) {
      throw new Failure(`pid file: ${(error as Error).message}`, undefined, { cause: error });
    }
  }

  /** Removes the file, unless it belongs to another process now. */
  remove(): void {
    if (this.owner() !== process.pid) return;
    try {
      unlinkSync(this.path);
    } catch {
      // We may not be allowed to write in its directory. The next start then finds a stale file and replaces it.
    }
  }

  private owner(): number | undefined {
    try {
      const pid = Number(readFileSync(this.path, 'utf8').trim());
      return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Whether the process exists and is a job server. Systems give ids again, in containers very soon. */
function isJobServer(pid: number): boolean {
  if (pid === process.pid || !hasProcess(pid)) return false;
  try {
    return /gearman|job-server/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    // Without /proc nobody can tell; then assume a job server, because two must not share one file.
    return process.platform !== 'linux';
  }
}
