const FUNCTIONS = ['mail', 'index', 'thumbnail'];
const PRIORITIES = ['high', 'normal', 'normal', 'low'];

/** A random background job: its options, and a workload that begins with its id. */
export function randomJob(id, chance) {
  const dice = chance();
  const asked = {
    function: FUNCTIONS[Math.floor(chance() * FUNCTIONS.length)],
    workload: Buffer.from(`${id} `.padEnd(20 + Math.floor(chance() ** 8 * 20_000), 'x')),
  };
  // Some coalesce, with jobs that wait, that run, or that wait only in the storage; some are for later.
  if (dice < 0.2) asked.unique = `unique-${Math.floor(chance() * 50)}`;
  if (dice > 0.95) asked.at = new Date(Date.now() + 2_000 * chance());
  else asked.priority = PRIORITIES[Math.floor(chance() * PRIORITIES.length)];
  return asked;
}
