/**
 * Our job server as a process of its own, on the loopback port given, with a
 * storage in the folder given if one is: what the benchmarks start.
 */
import { JobServer } from '../dist/job-server/index.js';

const [port, path] = process.argv.slice(2);
await new JobServer({
  listeners: [{ host: '127.0.0.1', port: Number(port) }],
  ...(path && { storage: { type: 'file', path } }),
}).start();
