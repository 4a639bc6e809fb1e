import { describe, expect, it } from '@jest/globals';
import { editDistance, nearest } from '../../../lib/ground/nearest.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'ab', 2],
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['prt', 'port', 1],
    ['poort', 'port', 1],
    ['part', 'port', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('from %j to %j is %d, and as far back', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });
});

describe('nearest', () => {
  const names = ['--port', '--ssl-port', '--pid-file', '--max-connections'];

  it.each([
    ['--prot', '--port'],
    ['--pidfile', '--pid-file'],
    ['--max-conn', '--max-connections'],
    ['--nothing-like-it', undefined],
    ['-x', undefined],
  ])('to %s is %s', (word, name) => expect(nearest(word, names)).toBe(name));
});
