import { MemoryStorage } from '../../lib/job-server/storage/index.js';
import { describeJobStorage } from './job-storage.contract.js';

describeJobStorage('MemoryStorage', async () => ({ storage: new MemoryStorage(), dispose: async () => {} }));
