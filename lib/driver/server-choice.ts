import type { ByteString } from '../protocol/index.js';

/** How a client chooses among several job servers that are connected. */
export type ServerChoice = 'failover' | 'round-robin' | 'hash';

/** What a choice needs to know of a job server. */
interface Candidate {
  readonly name: string;
  readonly link: { readonly isReady: boolean };
}

/** What a choice needs to know of a job. */
interface Choosing {
  /** Equal for jobs that coalesce; undefined for a job that does not coalesce. */
  readonly coalescingKey: ByteString | undefined;
  /** Job servers that could not accept it, and are not asked again. */
  readonly refusedBy?: ReadonlySet<object> | undefined;
}

/** Finds the job server for a job; undefined if no connected one is left that has not refused it. */
export type Choose<Server extends Candidate> = (job: Choosing) => Server | undefined;

/** Makes the choice among `servers`; only those that are ready count. */
export function chooser<Server extends Candidate>(choice: ServerChoice, servers: readonly Server[]): Choose<Server> {
  const only = servers[0];
  if (servers.length === 1 && only) return (job) => (mayTake(only, job) ? only : undefined);
  if (choice === 'failover') return (job) => servers.find((server) => mayTake(server, job));
  const next = roundRobin(servers);
  if (choice === 'round-robin') return next;
  const byKey = rendezvous(servers);
  return (job) => {
    const key = job.coalescingKey;
    return key === undefined ? next(job) : byKey(job, key);
  };
}

function mayTake(server: Candidate, { refusedBy }: Choosing): boolean {
  return server.link.isReady && !refusedBy?.has(server);
}

function roundRobin<Server extends Candidate>(servers: readonly Server[]): Choose<Server> {
  let last = -1;
  return (job) => {
    for (let step = 1; step <= servers.length; step++) {
      const index = (last + step) % servers.length;
      if (mayTake(servers[index]!, job)) {
        last = index;
        return servers[index];
      }
    }
    return undefined;
  };
}

/**
 * Rendezvous hashing: every server has a score for the key, and the highest
 * score among the ready ones wins. All clients with the same server names agree
 * without talking to each other. When a server dies, its keys spread over the
 * others, and their own keys stay.
 */
function rendezvous<Server extends Candidate>(
  servers: readonly Server[],
): (job: Choosing, key: ByteString) => Server | undefined {
  const seeds = servers.map(({ name }) => hash(name));
  return (job, key) => {
    const keyHash = hash(key);
    let best: Server | undefined;
    let bestScore = -1;
    for (let index = 0; index < servers.length; index++) {
      const server = servers[index]!;
      if (!mayTake(server, job)) continue;
      const score = mix(keyHash ^ seeds[index]!);
      if (score > bestScore) {
        bestScore = score;
        best = server;
      }
    }
    return best;
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}

/** MurmurHash3's last step: every bit of the input changes half of the output's bits on average. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
