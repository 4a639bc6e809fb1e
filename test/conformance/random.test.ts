import { expect, it } from '@jest/globals';
import { describeWith } from '../support/peers.js';
import { gearmandFor, oursFor } from './job-servers.js';
import { RandomPlay, RandomStage } from './random-play.js';

const STEPS = Number(process.env.RANDOM_STEPS ?? 400);
/** Fixed, so that a run says the same as the run before; RANDOM_SEED plays another. */
const SEEDS = process.env.RANDOM_SEED ? [Number(process.env.RANDOM_SEED)] : [1, 2, 3];
const NO_FLAGS = { title: 'a random play', flags: [], isOnlyOurs: false, steps: [] };

describeWith('gearmand', 'gearmand and our job server in a random play', () => {
  it.each(SEEDS)(
    'say the same to everybody and end in the same status (RANDOM_SEED=%i)',
    async (seed) => {
      const servers = await Promise.all([gearmandFor(NO_FLAGS), oursFor(NO_FLAGS)]);
      try {
        const stages = servers.map((server) => new RandomStage(server));
        const [theirs, ours] = await new RandomPlay(seed, stages).play(STEPS);
        expect(ours!.join('\n')).toBe(theirs!.join('\n'));
        const [inTheirs, inOurs] = await Promise.all(stages.map((stage) => stage.ask('status')));
        expect(inOurs).toEqual(inTheirs);
        expect(inOurs!.filter((line) => !/^(\.|[fgh]\t0\t0\t\d+)\n$/.test(line))).toEqual([]);
      } finally {
        for (const server of servers) await server.stop();
      }
    },
    120_000,
  );
});
