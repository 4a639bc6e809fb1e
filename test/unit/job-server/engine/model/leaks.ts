import { GearmanFunction, Job, Peer } from '../../../../../lib/job-server/engine/index.js';

/** How many jobs, peers and functions can be reached from `root` by any path of references. */
export function countReachable(root: object): { jobs: number; peers: number; functions: number } {
  const counts = { jobs: 0, peers: 0, functions: 0 };
  const seen = new Set<object>();
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Job) counts.jobs++;
    if (value instanceof Peer) counts.peers++;
    if (value instanceof GearmanFunction) counts.functions++;
    if (value instanceof Map) left.push(...value.keys(), ...value.values());
    else if (value instanceof Set) left.push(...value);
    left.push(...Object.values(value));
  }
  return counts;
}
