import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { firstValueFrom, timer, map, type Observable } from 'rxjs';
import { describeJobServers } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';

const WORKERS = 4;
const CALLERS = 25;
const CALLS = 40;

/** How often each job has run. */
const runs = new Map<number, number>();

@Controller()
class Counter {
  @MessagePattern('count')
  count(@Payload() job: number): Observable<number> {
    runs.set(job, (runs.get(job) ?? 0) + 1);
    return timer(job % 4).pipe(map(() => job));
  }
}

describeJobServers('a rolling restart', (servers) => {
  it('of all workers under load loses nothing and runs nothing twice', async () => {
    runs.clear();
    const start = () => serve({ servers: servers(), controllers: [Counter] });
    const workers = await Promise.all(Array.from({ length: WORKERS }, start));
    const client = clientOf({ servers: servers() });

    let isLoaded = true;
    const caller = async (first: number): Promise<void> => {
      for (let job = first; job < first + CALLS || isLoaded; job += 1) {
        await expect(firstValueFrom(client.send('count', job))).resolves.toBe(job);
      }
    };
    const load = Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index * 1_000_000)));
    for (const { app } of workers) {
      await start();
      await app.close();
    }
    isLoaded = false;
    await load;
    expect(runs.size).toBeGreaterThanOrEqual(CALLERS * CALLS);
    expect(new Set(runs.values())).toEqual(new Set([1]));
  });
});
