import type { JobServerCore } from '../../job-server/core.js';

/** What changes rarely, or only single callers ask for; everything else is in the server's state. */
export interface ServerDetails {
  readonly startedAt?: Date;
  /** The version of Node.js. */
  readonly node: string;
  /** How much memory its process uses, and how much processor time it has used. */
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
  /** The addresses on which it listens, and how long their certificates are valid. */
  readonly listening: readonly { readonly address: string; readonly certificateUntil?: Date }[];
  /** 0: none. */
  readonly limits: JobServerCore['limits'];
  readonly storage?: StorageDetails;
}

interface StorageDetails {
  readonly kind: string;
  /** The size of the storage, and the free room on its disk. */
  readonly bytes?: number;
  readonly freeBytes?: number;
  /** How many changes wait to be written, and how many writes there were since it was opened. */
  readonly backlog: number;
  readonly writes: number;
  readonly deadLetters?: number;
  /** How many records could not be read. */
  readonly setAside: number;
}

export function serverDetails(jobServer: JobServerCore): ServerDetails {
  const { startedAt, listeners, limits } = jobServer;
  const { user, system } = process.cpuUsage();
  const storage = storageDetails(jobServer);
  return {
    ...(startedAt && { startedAt }),
    node: process.version,
    memoryBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    listening: listeners.details,
    limits,
    ...(storage && { storage }),
  };
}

function storageDetails({ storedJobs, storageKind }: JobServerCore): StorageDetails | undefined {
  if (!storedJobs) return undefined;
  const { bytes, freeBytes, backlog, writes, dead } = storedJobs.health;
  return {
    kind: storageKind!,
    ...(bytes !== undefined && { bytes }),
    ...(freeBytes !== undefined && { freeBytes }),
    backlog,
    writes: writes.took.count,
    ...(dead && { deadLetters: dead.total }),
    setAside: storedJobs.setAside,
  };
}
