import type { JobServerCore } from '../../job-server/core.js';

/** A job server at one moment; the numbers count jobs in memory and in storage. */
export interface ServerState {
  readonly version: string;
  readonly isEnding: boolean;
  /** Why it accepts no background jobs now. */
  readonly storageTrouble?: string;
  readonly functions: number;
  /** Jobs in memory; the functions also count the jobs that are only in storage. */
  readonly jobs: number;
  readonly running: number;
  readonly connections: number;
  readonly workers: number;
  /** Foreground submissions that wait for their result. */
  readonly clientsWaiting: number;
  /** How late its event loop was over the last ten seconds: 99 of 100 times less than this. */
  readonly eventLoopDelaySeconds: number;
  /** How many event streams of changes are open. */
  readonly eventStreams: number;
}

export function serverState(jobServer: JobServerCore, eventStreams: number): ServerState {
  const { version, isEnding, storageTrouble, engine, sessions } = jobServer;
  let workers = 0;
  for (const { peer } of sessions) if (peer.abilities.size > 0) workers++;
  return {
    version,
    isEnding,
    ...(storageTrouble !== undefined && { storageTrouble }),
    functions: engine.functions.size,
    jobs: engine.jobCount,
    running: engine.runningCount,
    connections: sessions.size,
    workers,
    clientsWaiting: engine.waitCount,
    eventLoopDelaySeconds: Math.round(jobServer.eventLoopDelay * 1_000) / 1_000,
    eventStreams,
  };
}
