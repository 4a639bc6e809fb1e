import { JobServer } from '../../lib/job-server/job-server.js';
import type { JobServerOptions } from '../../lib/job-server/index.js';
import { atEnd } from './cleanup.js';
import { RawPeer } from './raw-peer.js';

/** A job server whose clocks a test can set: `now` goes on by itself, and a test can add to it. */
export async function serverWithClocks(options: JobServerOptions = {}) {
  const clocks = {
    passed: 0,
    ahead: 0,
    frozenAt: undefined as number | undefined,
    get now(): number {
      return this.frozenAt ?? performance.now() + this.passed;
    },
    get date() {
      return 1_700_000_000_000 + Math.floor(this.now) + this.ahead;
    },
  };
  const server = new JobServer({ listeners: [], ...options }, clocks);
  await server.start();
  atEnd(() => server.stop());
  const peer = (): RawPeer => new RawPeer(server.connect());
  return { server, clocks, peer };
}

/** Waits for an answer of the job server, which has then read its clock of durations. */
export async function echo(peer: RawPeer): Promise<string[]> {
  peer.send('ECHO_REQ x');
  const heard: string[] = [];
  for (let next = await peer.next(); next !== 'ECHO_RES x'; next = await peer.next()) heard.push(next);
  return heard;
}
