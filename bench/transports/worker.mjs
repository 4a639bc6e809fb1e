/** The worker's process. Asked for `cpu`, it returns the CPU time it has used; asked `{ until }`, it answers when it has got so many jobs. */
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
