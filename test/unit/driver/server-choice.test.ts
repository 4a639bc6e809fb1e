import { describe, expect, it } from '@jest/globals';
import { chooser, type ServerChoice } from '../../../lib/driver/server-choice.js';

const fleet = (...names: string[]) => names.map((name) => ({ name, link: { isReady: true } }));
const job = (coalescingKey?: string) => ({ coalescingKey });

describe('the choice of a job server', () => {
  it.each(['failover', 'round-robin', 'hash'] as ServerChoice[])('%s finds none when none is connected', (choice) => {
    for (const servers of [fleet('a'), fleet('a', 'b')]) {
      for (const server of servers) server.link.isReady = false;
      expect(chooser(choice, servers)(job('key'))).toBeUndefined();
    }
  });

  it('failover takes the first that is connected', () => {
    const servers = fleet('a', 'b', 'c');
    const choose = chooser('failover', servers);
    expect(choose(job())?.name).toBe('a');
    servers[0]!.link.isReady = false;
    expect(choose(job())?.name).toBe('b');
    servers[0]!.link.isReady = true;
    expect(choose(job())?.name).toBe('a');
  });

  it('round-robin goes round, past those that are away', () => {
    const servers = fleet('a', 'b', 'c');
    const choose = chooser('round-robin', servers);
    const names = (count: number) => Array.from({ length: count }, () => choose(job('same'))?.name).join('');
    expect(names(4)).toBe('abca');
    servers[1]!.link.isReady = false;
    expect(names(4)).toBe('caca');
  });
});

describe('hash', () => {
  const keys = Array.from({ length: 3_000 }, (_, index) => `resize\0image-${index}`);
  const shares = (servers: ReturnType<typeof fleet>) => {
    const choose = chooser('hash', servers);
    return keys.map((key) => choose(job(key))!.name);
  };

  it('keeps the jobs of one key on one job server, in whatever order the servers are given', () => {
    const placed = shares(fleet('a', 'b', 'c'));
    expect(shares(fleet('c', 'a', 'b'))).toEqual(placed);
  });

  it('spreads keys evenly', () => {
    const placed = shares(fleet('10.0.0.1:4730', '10.0.0.2:4730', '10.0.0.3:4730'));
    for (const server of new Set(placed)) {
      expect(Math.abs(placed.filter((name) => name === server).length - 1_000)).toBeLessThan(120);
    }
    expect(new Set(placed).size).toBe(3);
  });

  it('moves only the share of a job server that is lost, and moves it back', () => {
    const servers = fleet('a', 'b', 'c');
    const before = shares(servers);
    servers[1]!.link.isReady = false;
    const without = shares(servers);
    for (const [index, name] of before.entries()) {
      if (name === 'b') expect(without[index]).not.toBe('b');
      else expect(without[index]).toBe(name);
    }
    // The lost share is spread over both that are left.
    const moved = without.filter((_, index) => before[index] === 'b');
    expect(new Set(moved).size).toBe(2);
    servers[1]!.link.isReady = true;
    expect(shares(servers)).toEqual(before);
  });

  it('sends jobs without a key round', () => {
    const choose = chooser('hash', fleet('a', 'b'));
    expect([choose(job())?.name, choose(job())?.name, choose(job())?.name].join('')).toBe('aba');
  });
});
