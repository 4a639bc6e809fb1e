import { expect, it } from '@jest/globals';
import { MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import type { GearmanFunction } from '../../../../lib/job-server/engine/index.js';
import { startFront } from '../../../support/front.js';
import type { RawPeer } from '../../../support/raw-peer.js';
import { Random } from '../../../support/random.js';
import { runs } from '../../../support/runs.js';
import { until } from '../../../support/until.js';

const FUNCTIONS = ['f', 'g'];

/** How many jobs came to a function, and how many are accounted for. */
function balance({ stats, total }: GearmanFunction): [came: number, are: number] {
  const { foreground, background, restored, replayed, completed, failed, buried, cancelled, abandoned } = stats;
  return [foreground + background + restored + replayed, completed + failed + buried + cancelled + abandoned + total];
}

it.each(Array.from({ length: runs(5).numRuns }, (_, run) => run + 1))(
  'every job of a job server with a storage is accounted for, whatever happens (%i)',
  async (seed) => {
    const random = new Random(seed);
    const policy = { retries: 1, backoff: { initialDelay: 1, maxDelay: 1 }, deadLetter: true };
    const front = await startFront({ storage: new MemoryStorage(), window: 2, policies: { f: policy } });
    const { server } = front;
    const client = front.peer();
    let worker = newWorker(front.peer());
    const handles: string[] = [];
    for (let step = 0; step < 400; step++) {
      const dice = random.next();
      const name = random.pick(FUNCTIONS);
      if (dice < 0.4) {
        const unique = random.pick(['', '', 'u', 'v']);
        client.send(`${random.pick(['SUBMIT_JOB', 'SUBMIT_JOB_BG', 'SUBMIT_JOB_HIGH_BG'])} ${name}·${unique}·${step}`);
      } else if (dice < 0.45) client.send(`SUBMIT_JOB_EPOCH ${name}··9999999999·${step}`);
      else if (dice < 0.9) {
        worker.send('GRAB_JOB');
        for (const packet of await worker.untilEcho()) {
          const handle = /^JOB_ASSIGN (\S+?)·/.exec(packet)?.[1];
          if (handle === undefined) continue;
          handles.push(handle);
          if (random.next() < 0.8)
            worker.send(
              `${random.pick(['WORK_COMPLETE', 'WORK_FAIL', 'WORK_EXCEPTION'])} ${handle}${random.pick(['·', '·x'])}`,
            );
        }
      } else if (dice < 0.94) {
        worker.end();
        worker = newWorker(front.peer());
      } else if (handles.length > 0) {
        const handle = random.pick(handles);
        await (random.pick([true, false]) ? server.replay(handle) : coreOf(server).storedJobs!.cancel(handle));
      }
    }
    await client.untilEcho();
    for (const function_ of coreOf(server).engine.functions) {
      await until(`the jobs of ${function_.name} are accounted for: ${balance(function_)}`, () => {
        const [came, are] = balance(function_);
        return came === are;
      });
      expect(function_.stats.background).toBeGreaterThan(20);
    }
  },
);

function newWorker(worker: RawPeer): RawPeer {
  worker.send(...FUNCTIONS.map((name) => `CAN_DO ${name}`));
  return worker;
}
