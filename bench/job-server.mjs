/**
 * Our job server as a process of its own, which the benchmarks start: on the given
 * loopback port, with a storage if a folder or a PostgreSQL is given.
 */
import { JobServer } from '../dist/job-server/index.js';

const [port, place] = process.argv.slice(2);
const storage = place?.startsWith('postgresql:') ? { type: 'postgres', url: place } : { type: 'file', path: place };
await new JobServer({
  listeners: [{ host: '127.0.0.1', port: Number(port) }],
  ...(place && { storage }),
}).start();
