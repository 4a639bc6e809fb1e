import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineScene, type ScenePeer } from '../../../support/engine-scene.js';
import { runs } from '../../../support/runs.js';

const WORKERS = 3;

/** A worker's run of a job: it says `2.1`, `2.2`, ..., where 2 is the number of the run. */
interface Run {
  readonly number: number;
  said: number;
}

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('submit' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('grab' as const), who: fc.nat(WORKERS - 1) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'sendData' as const,
        'sendData' as const,
        'warn' as const,
        'complete' as const,
        'fail' as const,
      ),
      who: fc.nat(WORKERS - 1),
      nth: fc.nat(5),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), time: fc.constantFrom(300, 600, 1_100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(WORKERS - 1) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Clients, and workers whose time runs out as often as not; each knows the jobs it believes it runs. */
class Story {
  private readonly scene = new EngineScene();
  private readonly client = this.scene.client();
  private readonly workers: { peer: ScenePeer; runs: Map<string, Run> }[] = [];
  private readonly told = new Map<string, string[]>();
  private jobs = 0;
  private runs = 0;

  constructor() {
    for (let who = 0; who < WORKERS; who++) this.join(who);
  }

  perform(step: Step): void {
    if (step.do === 'submit') this.client.submit('f', `job${++this.jobs}`);
    else if (step.do === 'pass') this.scene.pass(step.time);
    else if (step.do === 'grab') this.grab(step.who);
    else if (step.do === 'leave') this.leave(step.who);
    else this.say(step.who, step.nth, step.do);
    this.listen();
  }

  /** Workers do all that is left. */
  end(): Map<string, string[]> {
    for (let who = 0; who < WORKERS; who++) this.leave(who);
    while (this.grab(0)) this.say(0, 0, 'complete');
    this.listen();
    return this.told;
  }

  private grab(who: number): boolean {
    const { peer, runs } = this.workers[who]!;
    const label = peer.grab();
    // Given the same job again, a worker begins it again.
    if (label !== 'NO_JOB') runs.set(label, { number: ++this.runs, said: 0 });
    return label !== 'NO_JOB';
  }

  private say(who: number, nth: number, what: 'sendData' | 'warn' | 'complete' | 'fail'): void {
    const { peer, runs } = this.workers[who]!;
    const [label, run] = [...runs][nth % Math.max(runs.size, 1)] ?? [];
    if (label === undefined || !run) return;
    const refusal = peer[what](label, `${run.number}.${++run.said}`);
    if (refusal !== undefined || what === 'complete' || what === 'fail') runs.delete(label);
  }

  private leave(who: number): void {
    this.workers[who]!.peer.leave();
    this.join(who);
  }

  private join(who: number): void {
    const peer = this.scene.client();
    peer.canDo('f', who === 0 ? 0 : 1_000);
    this.workers[who] = { peer, runs: new Map() };
  }

  private listen(): void {
    for (const news of this.client.heard()) {
      const [what, label, words = ''] = news.split(' ') as [string, string, string?];
      this.told.set(label, [...(this.told.get(label) ?? []), `${what} ${words}`.trim()]);
    }
  }
}

/** What a client was told of one job, as a list of runs with the numbers of what they said. */
function runsOf(told: readonly string[]): { run: number; said: number[] }[] {
  const runs: { run: number; said: number[] }[] = [];
  for (const word of told) {
    if (word === 'FAIL') continue;
    const [run, said] = word.split(' ')[1]!.split('.').map(Number) as [number, number];
    if (runs.at(-1)?.run === run) runs.at(-1)!.said.push(said);
    else runs.push({ run, said: [said] });
  }
  return runs;
}

describe('what a client is told of a job, however late its workers are', () => {
  it('is its last run from the beginning to the end, in order; a run that lost the job is never heard of again', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }), (steps) => {
        const story = new Story();
        for (const each of steps) story.perform(each);
        for (const told of story.end().values()) {
          const ends = told.map((word, at) => (/^(COMPLETE|FAIL)/.test(word) ? at : -1)).filter((at) => at >= 0);
          expect(ends).toEqual([told.length - 1]);
          const runs = runsOf(told);
          for (const { said } of runs) expect(said).toEqual(said.map((_, at) => at + 1));
          const numbers = runs.map(({ run }) => run);
          expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
        }
      }),
      runs(100),
    );
  });
});
