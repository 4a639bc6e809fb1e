import type { JobServerCore } from '../../job-server/core.js';

/** What changes seldom or is looked at by who asks for it alone; the rest is in the server's state. */
export interface ServerDetails {
  readonly startedAt?: Date;
  /** Of Node.js. */
  readonly node: string;
  /** What its process takes of the machine's memory, and has taken of its processors' time. */
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
  /** Where it listens, and until when the certificate there is valid. */
  readonly listening: readonly { readonly address: string; readonly certificateUntil?: Date }[];
  /** 0: none. */
  readonly limits: JobServerCore['limits'];
  readonly storage?: StorageDetails;
}

interface StorageDetails {
  readonly kind: string;
  /** What it takes, and what its disk has left. */
  readonly bytes?: number;
  readonly freeBytes?: number;
  /** Changes that wait to be written, and writes since it was opened. */
  readonly backlog: number;
  readonly writes: number;
  readonly deadLetters?: number;
  /** Records that could not be read. */
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
