import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { byPart, HashTable, hashOf, hashOfBytes } from '../../../lib/job-server/storage/log/hash-table.js';
import { NumberList } from '../../../lib/job-server/storage/log/number-list.js';
import { PlaceHeap } from '../../../lib/job-server/storage/log/place-heap.js';
import { runs } from '../../support/runs.js';

describe('a table of hashes', () => {
  it('finds what is in it and nothing else, however much comes and goes under colliding hashes', () => {
    // Few slots and many that share one: what is taken out must not hide what was pushed behind it.
    const hashes = fc.constantFrom(1, 2, 3, 17, 33, 49, 65, 0x80000001 | 0, -1);
    const steps = fc.array(fc.record({ isIn: fc.boolean(), hash: hashes, number: fc.nat({ max: 20 }) }), {
      maxLength: 300,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (story) => {
        const table = new HashTable();
        const known = new Set<string>();
        for (const { isIn, hash, number } of story) {
          const key = `${hash}/${number}`;
          if (isIn && !known.has(key)) table.add(hash, number);
          else if (!isIn) table.remove(hash, number);
          if (isIn) known.add(key);
          else known.delete(key);
          for (const each of [1, 2, 17, 33, -1]) {
            for (let at = 0; at <= 20; at++) {
              const found = table.find(each, (one) => one === at);
              const wanted = known.has(`${each}/${at}`) ? at : undefined;
              if (found !== wanted) throw new Error(`${each}/${at} is ${found}, not ${wanted}`);
            }
          }
        }
      }),
      runs(10),
    );
  });

  it('grows and shrinks', () => {
    const table = new HashTable();
    const hash = (number: number): number => hashOf(`name ${number}`, 7);
    for (let number = 0; number < 50_000; number++) table.add(hash(number), number);
    for (let number = 0; number < 50_000; number += 2) table.remove(hash(number), number);
    for (let number = 0; number < 50_000; number++) {
      const found = table.find(hash(number), (each) => each === number);
      if (found !== (number % 2 === 0 ? undefined : number)) throw new Error(`${number}: ${found}`);
    }
  });

  it('is filled with what is to be kept of many lists, by part or in any order', () => {
    const [sorted, unsorted] = [0, 50_000].map((first) =>
      Float64Array.from({ length: 100_000 }, (_, at) =>
        at % 2 === 0 ? hashOf(`name ${first + at / 2}`, 7) : (at - 1) / 2,
      ),
    );
    const table = new HashTable();
    table.fill([
      { pairs: byPart(sorted!), first: 0, isKept: (number) => number % 3 > 0 },
      { pairs: Uint32Array.from(unsorted!), first: 50_000, isKept: () => true },
    ]);
    for (let number = 0; number < 100_000; number++) {
      const found = table.find(hashOf(`name ${number}`, 7), (each) => each === number);
      const wanted = number < 50_000 && number % 3 === 0 ? undefined : number;
      if (found !== wanted) throw new Error(`${number}: ${found}, not ${wanted}`);
    }
  });

  it('hashes a string as its bytes', () => {
    const bytes = Buffer.from([1, 0xff, 0x80, 0, 65]);
    expect(hashOf(bytes.toString('latin1'), 3)).toBe(hashOfBytes(bytes, 0, bytes.length, 3));
  });
});

describe('a heap of places', () => {
  it('gives them out by their times, then their sequences, and keeps what it is told to', () => {
    const places = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 1_000 })), { maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 4 }), (all, kept) => {
        const isKept = (number: number): boolean => number % kept === 0;
        const heap = new PlaceHeap(isKept);
        all.forEach(([time, sequence], number) => heap.push(time, sequence, number));
        const out: number[][] = [];
        for (; heap.hasFirst(); heap.pop()) out.push([heap.time, heap.sequence]);
        expect([heap.size, heap.time]).toEqual([0, Infinity]);
        const wanted = all.filter((_, number) => isKept(number));
        expect(out).toEqual(wanted.sort(([at, one], [time, other]) => at - time || one - other));
      }),
    );
  });

  it('does not grow with what is over', () => {
    const living = new Set(Array.from({ length: 10 }, (_, number) => number * 1_000));
    const heap = new PlaceHeap((number) => living.has(number));
    for (let number = 0; number < 10_000; number++) heap.push(1, number, number);
    expect(heap.size).toBeLessThanOrEqual(32);
    expect(heap.number).toBe(0);
  });
});

describe('a list of numbers', () => {
  it('finds the last that is not above a value, also after some were dropped', () => {
    const list = new NumberList();
    for (let value = 0; value < 1_000; value += 10) list.push(value);
    list.drop(70);
    expect([list.first, list.last, list.length]).toEqual([700, 990, 30]);
    expect([699, 700, 709, 710, 5_000].map((value) => list.lastNotAbove(value))).toEqual([-1, 0, 0, 1, 29]);
  });
});
