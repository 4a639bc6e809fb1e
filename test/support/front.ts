import { duplexPair } from 'node:stream';
import type { AdminAccess, JobServerOptions } from 'nestjs-gearman/job-server';
import { JobServer } from '../../lib/job-server/job-server.js';
import { coreOf } from '../../lib/job-server/core-of.js';
import { Session } from '../../lib/job-server/front/index.js';
import { atEnd } from './cleanup.js';
import { RawPeer } from './raw-peer.js';

/** A job server that listens nowhere, and its log. */
export interface FrontScene {
  readonly server: JobServer;
  readonly log: string[];
  /** A connection in memory, for a test to speak byte by byte. */
  peer(): RawPeer;
  /** A session of its own, as a listener with these rules would make it. */
  session(admin: AdminAccess): { peer: RawPeer; session: Session };
}

/** Starts a job server in memory; it is stopped when the test file is over. */
export async function startFront(options: JobServerOptions = {}): Promise<FrontScene> {
  const log: string[] = [];
  const server = new JobServer({
    listeners: [],
    log: (level, message) => log.push(`${level}: ${message}`),
    ...options,
  });
  await server.start();
  atEnd(() => server.stop());
  return {
    server,
    log,
    peer: () => new RawPeer(server.connect()),
    session: (admin) => {
      const [near, far] = duplexPair();
      far.once('close', () => near.destroy());
      const session = new Session(coreOf(server), far, { address: 'elsewhere', admin }, 99, {});
      return { peer: new RawPeer(near), session };
    },
  };
}

/** Submits with a packet in notation, and returns the handle in JOB_CREATED. */
export async function submit(peer: RawPeer, packet: string): Promise<string> {
  peer.send(packet);
  const answer = await peer.next();
  const handle = /^JOB_CREATED (\S+)$/.exec(answer)?.[1];
  if (handle === undefined) throw new Error(`expected JOB_CREATED, got ${answer}`);
  return handle;
}
