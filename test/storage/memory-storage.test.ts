import { MemoryJobs, MemoryStorage } from '../../lib/job-server/storage/index.js';
import { describeJobStorage } from './job-storage.contract.js';
import { describeScheduleFleet } from './schedule-fleet.contract.js';
import { describeSharing } from './sharing.contract.js';

describeJobStorage('MemoryStorage', async () => ({ storage: new MemoryStorage(), dispose: async () => {} }));

describeSharing('MemoryStorage', async () => {
  const jobs = new MemoryJobs();
  const one = new MemoryStorage(jobs, { name: 'one', address: '127.0.0.1:4730' });
  const two = new MemoryStorage(jobs, { name: 'two', address: '127.0.0.1:4731' });
  return { one, two, stall: async () => one.lapse(), dispose: async () => {} };
});

describeScheduleFleet('MemoryStorage', async () => {
  const jobs = new MemoryJobs();
  return ['one', 'two', 'three'].map(
    (name, index) => new MemoryStorage(jobs, { name, address: `127.0.0.1:${4730 + index}` }),
  );
});
