import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { hasProcess } from '../../ground/index.js';
import { Failure } from '../failure.js';

/**
 * The file that tells a service manager the process id: there from the moment
 * the job server listens until it ends.
 */
export class PidFile {
  /** @throws Failure when it belongs to a job server that is running. */
  constructor(private readonly path: string) {
    const owner = this.owner();
    if (owner === undefined || !isJobServer(owner)) return;
    throw new Failure(
      `pid file ${path}: a job server is running already, process ${owner}; end it, or give this one another --pid-file`,
    );
  }

  /** @throws Failure when it cannot be written. */
  write(): void {
    try {
      writeFileSync(this.path, `${process.pid}\n`, { mode: 0o644 });
    } catch (error) {
      throw new Failure(`pid file: ${(error as Error).message}`, undefined, { cause: error });
    }
  }

  /** Removes it, unless another process has it by now. */
  remove(): void {
    if (this.owner() !== process.pid) return;
    try {
      unlinkSync(this.path);
    } catch {
      // The directory may not be ours to write to: the next start finds a stale file, and takes it over.
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

/** True when a process is there and is a job server: ids are used again, above all in containers. */
function isJobServer(pid: number): boolean {
  if (pid === process.pid || !hasProcess(pid)) return false;
  try {
    return /gearman|job-server/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    // No /proc to look at: better not two job servers with one file.
    return process.platform !== 'linux';
  }
}
