import { expect, it } from '@jest/globals';
import { startFront } from '../../../support/front.js';
import { usedBytes } from '../../../support/used-bytes.js';

// The texts that Node makes of more than 1 MiB are not in the heap that is counted.
const LONG = 'n'.repeat(900_000);

it.each([
  ['a name of a function that is refused', `SUBMIT_JOB ${LONG}··x`, 'ERROR ARGUMENT_TOO_LARGE'],
  ['what comes behind the NUL of a name', `CAN_DO a function of NUMBER·${LONG}`, undefined],
  ['the rest of a client id', `SET_CLIENT_ID ${LONG}`, undefined],
])('nothing of 900 kB is kept of %s', async (_what, packet, answer) => {
  const { peer } = await startFront();
  const peers = Array.from({ length: 20 }, () => peer());
  for (const each of peers) await each.untilEcho();
  const before = usedBytes();
  for (const [number, each] of peers.entries()) {
    each.send(packet.replace('NUMBER', `${number}`));
    if (answer !== undefined) expect(await each.next()).toContain(answer);
    await each.untilEcho();
  }
  expect(usedBytes() - before).toBeLessThan(5_000_000);
});
