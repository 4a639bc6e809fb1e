import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countReachable } from './model/leaks.js';
import { rules, scripts } from './model/operations.js';
import { Play } from './model/play.js';
import { runs } from '../../../support/runs.js';

/** Set SEED to play a failure again. */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

describe(`engine and reference (SEED=${SEED})`, () => {
  it('agree through hundreds of operations by several peers, and nothing is left in the end', () => {
    fc.assert(
      fc.property(rules, scripts, (rulesOfRun, script) => {
        const play = new Play(rulesOfRun);
        for (const operation of script) play.step(operation);
        play.finale();
        expect(play.reference.ends.map(({ label }) => label).sort()).toEqual([...play.accepted].sort());
        expect(play.engine.tick(play.reference.now)).toBe(Infinity);
        expect(countReachable(play.engine)).toEqual({ jobs: 0, peers: 0, functions: 0 });
      }),
      { seed: SEED, ...runs(12) },
    );
  });
});
