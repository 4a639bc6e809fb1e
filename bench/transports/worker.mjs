/** The worker's process. Told `cpu` it says how much CPU time it has used; told `{ until }`, when it has taken so many. */
import { contestant } from './contestants.mjs';

const { sides, options, format } = contestant(process.argv.slice(2));
let taken = 0;
let wanted = Infinity;
await sides.serve(options, format, () => {
  if (++taken === wanted) process.send({ endedAt: Date.now() });
});
process.on('message', (message) => {
  if (message === 'cpu') {
    process.send({ cpu: process.cpuUsage() });
  } else {
    wanted = taken + message.until;
  }
});
process.once('disconnect', () => process.exit());
process.send('ready');
