import { afterEach, beforeEach, describe } from '@jest/globals';
import type { JobStorage, StoredJob } from '../../lib/job-server/storage/index.js';
import { describeHealth } from './health.contract.js';
import { describeKeeping } from './keeping.contract.js';
import { describeLifecycle } from './lifecycle.contract.js';
import { describeQueueing } from './queueing.contract.js';
import { describeSettings } from './settings.contract.js';
import { describeTakingOnce } from './taking-once.contract.js';
import { describeTicks } from './ticks.contract.js';
import { NOW, RecordingListener } from './recorded-storage.js';

/** How a suite gets its storage: a new and empty one, and what to do when it is no longer needed. */
export interface StorageFixture {
  readonly storage: JobStorage;
  dispose(): Promise<void>;
}

/** What the tests of the contract work on: renewed for every test. */
export interface ContractContext {
  readonly storage: JobStorage;
  readonly listener: RecordingListener;
  /** Closes the storage and opens it again. */
  restart(): Promise<void>;
  /** Leases normal jobs of `reverse`. */
  lease(count: number, now?: number): Promise<StoredJob[]>;
}

/** What every storage promises; an implementation's test calls this with its own fixture. */
export function describeJobStorage(name: string, makeFixture: () => Promise<StorageFixture>): void {
  describe(`${name} keeps the contract of a job storage:`, () => {
    let fixture: StorageFixture;
    let listener: RecordingListener;
    const open = async (): Promise<void> => {
      listener = new RecordingListener();
      await fixture.storage.open(listener);
    };

    beforeEach(async () => {
      fixture = await makeFixture();
      await open();
    });

    afterEach(async () => {
      await fixture.storage.close();
      await fixture.dispose();
    });

    const context: ContractContext = {
      get storage() {
        return fixture.storage;
      },
      get listener() {
        return listener;
      },
      restart: async () => {
        await fixture.storage.close();
        await open();
      },
      lease: (count, now = NOW) => fixture.storage.lease('reverse', 1, count, now),
    };
    describeHealth(context);
    describeQueueing(context);
    describeLifecycle(context);
    describeKeeping(context);
    describeTakingOnce(context);
    describeSettings(context);
    describeTicks(context);
  });
}
