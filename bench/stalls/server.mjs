/** A job server as a process of its own, with options in JSON; it reports what `Probe` measures. */
import { Probe } from './probe.mjs';
import { JobServer } from '../../dist/job-server/index.js';

const probe = new Probe();
const jobServer = new JobServer(JSON.parse(process.argv[2]));
process.on('message', (word) => {
  if (word === 'begin') probe.begin();
  process.send(word === 'end' ? probe.end() : {});
});
process.on('disconnect', () => process.exit());
await jobServer.start();
process.send({ port: jobServer.port, ...probe.end() });
