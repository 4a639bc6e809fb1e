import { describe, expect, it } from '@jest/globals';
import { Rotation, type Place } from '../../../../lib/job-server/engine/rotation.js';

class Worker {
  isAvailable = true;
  readonly missingPlaces: Place<this>[] = [];

  constructor(readonly name: string) {}
}

function placeIn(rotation: Rotation<Worker>, name: string): Place<Worker> {
  const worker = new Worker(name);
  return { worker, rotation, isGivenUp: false, isQueued: false, previous: undefined, next: undefined };
}

function takeAll(rotation: Rotation<Worker>): string[] {
  const names: string[] = [];
  for (let worker = rotation.take(); worker; worker = rotation.take()) names.push(worker.name);
  return names;
}

describe('Rotation', () => {
  it('gives the longest waiting first, each once', () => {
    const rotation = new Rotation<Worker>();
    const [a, b, c] = [placeIn(rotation, 'a'), placeIn(rotation, 'b'), placeIn(rotation, 'c')];
    for (const place of [a, b, a, c, a]) rotation.add(place);
    expect(takeAll(rotation)).toEqual(['a', 'b', 'c']);
  });

  it('passes over who became busy, who notes the place to come back to it', () => {
    const rotation = new Rotation<Worker>();
    const [a, b] = [placeIn(rotation, 'a'), placeIn(rotation, 'b')];
    rotation.add(a);
    rotation.add(b);
    a.worker.isAvailable = false;
    expect(takeAll(rotation)).toEqual(['b']);
    expect(a.worker.missingPlaces).toEqual([a]);
    rotation.add(a);
    a.worker.isAvailable = true;
    expect(takeAll(rotation)).toEqual(['a']);
  });

  it.each([
    [0, 'at once'],
    [1, 'at once'],
    [2, 'at once'],
    [0, 'later'],
    [1, 'later'],
    [2, 'later'],
  ] as const)('forgets a place that is given up, wherever it stands: %d, taken out %s', (index, when) => {
    const rotation = new Rotation<Worker>();
    const places = ['a', 'b', 'c'].map((name) => placeIn(rotation, name));
    for (const place of places) rotation.add(place);
    places[index]!.isGivenUp = true;
    if (when === 'at once') rotation.unlink(places[index]!);
    rotation.add(places[index]!);
    expect(takeAll(rotation)).toEqual(['a', 'b', 'c'].filter((_, at) => at !== index));
    expect(takeAll(rotation)).toEqual([]);
  });
});
