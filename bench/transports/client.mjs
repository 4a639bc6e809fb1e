/** The client's process: keeps some requests in flight, and reports the result. */
import { contestant } from './contestants.mjs';

const { sides, options, format } = contestant(process.argv.slice(2));
const call = await sides.call(options, format);
process.send('ready');

process.on('message', async ({ seconds, count, inFlight, bytes, isAnswered = true }) => {
  const data = format === 'text' ? 'x'.repeat(bytes) : Buffer.alloc(bytes, 'x');
  const latencies = [];
  const cpu = process.cpuUsage();
  const startedAt = Date.now();
  const start = performance.now();
  let begun = 0;
  const caller = async () => {
    while (seconds ? performance.now() < start + seconds * 1000 : begun < count) {
      begun++;
      const sent = performance.now();
      const answer = await call(data);
      if (isAnswered && answer.length !== bytes) throw new Error(`${bytes} bytes came back as ${answer.length}`);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const took = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const done = latencies.length;
  latencies.sort((one, other) => one - other);
  process.send({
    startedAt,
    done,
    perSecond: done / took,
    megabytes: (2 * done * bytes) / took / 1e6,
    p50: latencies[done >> 1] * 1000,
    p99: latencies[Math.floor(done * 0.99)] * 1000,
    clientMicros: (used.user + used.system) / done,
  });
});
process.once('disconnect', () => process.exit());
