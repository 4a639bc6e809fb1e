/** Our job server as a process of its own, on the loopback port given: what the benchmark compares with gearmand. */
import { JobServer } from '../dist/job-server/index.js';

const port = Number(process.argv[2]);
await new JobServer({ listeners: [{ host: '127.0.0.1', port }] }).start();
