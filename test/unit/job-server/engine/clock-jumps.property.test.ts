import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';
import { runs } from '../../../support/runs.js';

const JUMPS = [-259_200_000, -3_600_000, -1_500, 700, 3_600_000, 259_200_000];

const who = fc.nat(2);
const nth = fc.nat(12);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('submit'), who, later: fc.constantFrom(0, 0, 0, 900, 100_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('grab', 'sleep'), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('complete', 'data', 'fail'), who, nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('leave', 'canDo'), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass'), time: fc.constantFrom(10, 500, 1_000, 5_000, 60_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('setClock'), by: fc.constantFrom(...JUMPS) }) },
);
type Step = { do: string; who?: number; nth?: number; later?: number; time?: number; by?: number };

/** Plays a story, and tells all that was heard. */
function play(story: readonly Step[], rules: { hasJumps: boolean; hasDates: boolean }) {
  const scene = new EngineScene();
  const heard: string[] = [];
  const labels: string[] = [];
  const join = (index: number): ScenePeer => {
    const peer = scene.client();
    peer.canDo('f', [0, 1_000, 4_000][index]);
    return peer;
  };
  const peers = [0, 1, 2].map(join);
  const perform = ({ do: what, who = 0, nth = 0, later = 0, time = 0, by = 0 }: Step): unknown => {
    const peer = peers[who]!;
    const label = labels[nth % Math.max(labels.length, 1)] ?? 'none';
    const isDated = rules.hasDates && later > 0;
    switch (what) {
      case 'submit':
        labels.push(`job${labels.length}`);
        if (isDated) scene.pass(0);
        return peer.submit('f', labels.at(-1)!, { background: isDated, at: isDated ? scene.date + later : 0 });
      case 'grab':
        return peer.grab();
      case 'sleep':
        return peer.sleep();
      case 'complete':
        return peer.complete(label, `by ${who}`);
      case 'data':
        return peer.sendData(label, `by ${who}`);
      case 'fail':
        return peer.fail(label);
      case 'canDo':
        return peer.canDo('f', 2_000);
      case 'leave':
        peer.leave();
        return void (peers[who] = join(who));
      case 'pass':
        return scene.pass(time);
      case 'setClock':
        return rules.hasJumps ? scene.setClock(by) : undefined;
      default:
        throw new Error(what);
    }
  };
  const tell = (): void =>
    void peers.forEach((peer, index) => heard.push(...peer.heard().map((word) => `${index} ${word}`)));
  for (const each of story) {
    heard.push(`${each.do}: ${String(perform(each))}`);
    tell();
  }
  // Whatever the clock was set to when a job was given its date, that comes.
  scene.setClock(story.length * 259_200_000 * 2);
  scene.pass(100_000);
  for (const peer of peers) peer.leave();
  const last = scene.worker('f');
  for (const label of last.grabAll()) last.complete(label);
  return {
    heard,
    events: scene.events,
    labels,
    due: scene.engine.tick(scene.now, scene.date),
    left: scene.engine.jobCount,
  };
}

describe('a random story with random jumps of the clock', () => {
  const stories = fc.array(step, { minLength: 1, maxLength: 120, size: 'max' });

  it('goes as without them, word for word, where no job has a date', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const without = play(story, { hasJumps: false, hasDates: false });
        expect(play(story, { hasJumps: true, hasDates: false })).toEqual(without);
        expect([without.due, without.left]).toEqual([Infinity, 0]);
      }),
      runs(60),
    );
  });

  it('ends as without them where jobs have dates: every one of these runs, and ends once', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { events, due, left } = play(story, { hasJumps: true, hasDates: true });
        const endsOf = (label: string): number =>
          events.filter((event) => /^(completed|failed|abandoned) /.test(event) && event.endsWith(` ${label}`)).length;
        const submitted = events.filter((event) => event.startsWith('submitted ')).map((event) => event.split(' ')[1]!);
        expect(submitted.filter((label) => endsOf(label) !== 1)).toEqual([]);
        expect([due, left]).toEqual([Infinity, 0]);
      }),
      runs(60),
    );
  });
});
