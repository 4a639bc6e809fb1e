import { describe, expect, it } from '@jest/globals';
import { GearmanHealthIndicator } from '../../../lib/transport/gearman.health.js';

const worker = (...servers: string[]) => ({ health: () => ({ servers, away: ['z'], functions: 2, runningJobs: 1 }) });
const client = (...servers: string[]) => ({ health: () => ({ servers, away: [] }) });

describe('the health indicator', () => {
  it('is up where each source has a job server, and says what terminus shows', async () => {
    await expect(new GearmanHealthIndicator(worker('a', 'b'), worker('b'), client('c')).check()).resolves.toEqual({
      gearman: { status: 'up', servers: ['a', 'b', 'c'], away: ['z'], functions: 4, runningJobs: 2 },
    });
  });

  it('is down where one source has none, and does not reject', async () => {
    await expect(new GearmanHealthIndicator(worker('a'), client()).check('jobs')).resolves.toEqual({
      jobs: {
        status: 'down',
        message: 'not connected to any job server',
        servers: ['a'],
        away: ['z'],
        functions: 2,
        runningJobs: 1,
      },
    });
  });

  it('says nothing of functions where it watches clients only', async () => {
    await expect(new GearmanHealthIndicator(client('a')).check()).resolves.toEqual({
      gearman: { status: 'up', servers: ['a'], away: [] },
    });
  });
});
