import { describe, expect, it } from '@jest/globals';
import { QueueFloor } from '../../../../../lib/job-server/storage/postgres/queue-floor.js';

/** Leases at a time, of a queue with dead rows; answers from which place on. */
function lease(floor: QueueFloor, now: number, first: number | undefined, { took = 1, isShort = false } = {}): number {
  const place = floor.begin(now, true);
  floor.end(now + took, first, isShort);
  return place;
}

describe('the place from which a queue is leased', () => {
  it('follows the leases, half a second behind', () => {
    const floor = new QueueFloor();
    expect(lease(floor, 0, 100)).toBe(0);
    expect(lease(floor, 400, 200)).toBe(0);
    expect(lease(floor, 600, 300)).toBe(0);
    // What was leased 600 ms ago began there, and nothing older waits.
    expect(lease(floor, 700, 400)).toBe(100);
    expect(lease(floor, 1_200, 500)).toBe(100);
    expect(lease(floor, 1_300, 600)).toBe(300);
  });

  it('is the beginning where no dead rows are to be walked over', () => {
    const floor = new QueueFloor();
    for (let now = 0; now < 5_000; now += 100) {
      expect(floor.begin(now, false)).toBe(0);
      floor.end(now + 1, 1_000 + now, false);
    }
  });

  it('is lowered by what comes to wait below, and rises again', () => {
    const floor = new QueueFloor();
    for (const now of [0, 600, 1_200]) lease(floor, now, 1_000 + now);
    expect(lease(floor, 1_300, 2_300)).toBe(1_600);
    floor.lower(1_200);
    expect(lease(floor, 1_400, 1_200)).toBe(1_200);
    floor.lower();
    expect(lease(floor, 1_500, 2_500)).toBe(0);
    expect(lease(floor, 1_900, 2_900)).toBe(0);
    expect(lease(floor, 2_500, 3_500)).toBe(0);
    expect(lease(floor, 2_600, 3_600)).toBe(2_900);
  });

  it('stays low for a lease that was asked for before it was lowered', () => {
    const floor = new QueueFloor();
    for (const now of [0, 600, 1_200]) lease(floor, now, 1_000 + now);
    const place = floor.begin(1_800, true);
    floor.lower(1_100);
    // It did not see the one at 1,100.
    floor.end(1_801, 2_800, false);
    expect([place, lease(floor, 1_900, 1_100)]).toEqual([1_600, 1_100]);
  });

  it('is the beginning every ten seconds, and what that finds is gone on from', () => {
    const floor = new QueueFloor();
    const places: number[] = [];
    for (let now = 0; now < 10_000; now += 1_000) places.push(lease(floor, now, 100_000 + now));
    expect(places.slice(3)).not.toContain(0);
    expect(lease(floor, 10_000, 7)).toBe(0);
    expect(lease(floor, 10_100, 7_000)).toBe(7);
  });

  it('is the beginning each second where fewer came than were asked for', () => {
    const floor = new QueueFloor();
    const places: number[] = [];
    for (let now = 0; now < 4_000; now += 500) places.push(lease(floor, now, 1_000 + now, { isShort: true }));
    expect(places.filter((place) => place === 0).length).toBeGreaterThanOrEqual(4);
    expect(places.filter((place) => place > 0).length).toBeGreaterThanOrEqual(2);
  });

  it('is the beginning more seldom where that takes long', () => {
    const floor = new QueueFloor();
    lease(floor, 0, 1_000, { took: 4_000 });
    for (let now = 4_100; now < 20_000; now += 600) lease(floor, now, now);
    // A fifth of the time at most: not before 20,000.
    expect(lease(floor, 19_900, 20_000)).toBeGreaterThan(0);
    expect(lease(floor, 20_100, 21_000)).toBe(0);
  });

  it('is the beginning again some time after a lease failed there', () => {
    const floor = new QueueFloor();
    for (const now of [0, 600, 1_200]) lease(floor, now, 1_000 + now);
    expect(floor.begin(11_000, true)).toBe(0);
    floor.end(14_000, undefined, true);
    expect(lease(floor, 25_900, 26_000)).toBe(1_600);
    expect(lease(floor, 26_100, 26_200)).toBe(0);
  });
});
