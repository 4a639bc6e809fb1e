/**
 * What is to become of a job. A hidden one waits too, but is not given out before it is durable, since writing
 * fails. One that is gone is not there any more, or not yet.
 */
const FATES = ['hidden', 'waiting', 'leased', 'dead', 'ended', 'gone'] as const;
export type Fate = (typeof FATES)[number];

/** How much of that the log has: all of it; not yet; soon, as it is being written; the same, but it changed since. */
const WRITTEN = ['saved', 'due', 'underway', 'again'] as const;
type Written = (typeof WRITTEN)[number];

/** Where each step of the writing leads. */
const STEPS: Record<Step, Record<Written, Written>> = {
  marked: { saved: 'due', due: 'due', underway: 'again', again: 'again' },
  batched: { saved: 'underway', due: 'underway', underway: 'underway', again: 'underway' },
  durable: { saved: 'saved', due: 'saved', underway: 'saved', again: 'due' },
  failed: { saved: 'due', due: 'due', underway: 'due', again: 'due' },
  dropped: { saved: 'saved', due: 'saved', underway: 'saved', again: 'saved' },
};
type Step = 'marked' | 'batched' | 'durable' | 'failed' | 'dropped';

/**
 * Where a job is, in memory and on disk: one state of one machine, which the
 * README draws. What is made of the job leads up and down in it, what is written
 * leads across, and each state knows where that is.
 *
 * There is one object a state, so a job that changes its phase makes no garbage.
 */
export class Phase implements Readonly<Record<Fate | Step, Phase>> {
  readonly hidden!: Phase;
  readonly waiting!: Phase;
  readonly leased!: Phase;
  readonly dead!: Phase;
  readonly ended!: Phase;
  readonly gone!: Phase;
  /** It is to be written. */
  readonly marked!: Phase;
  /** It was put into a batch, as it is now. */
  readonly batched!: Phase;
  /** The batch is on disk. */
  readonly durable!: Phase;
  /** The batch is not. */
  readonly failed!: Phase;
  /** It is not written any more. */
  readonly dropped!: Phase;

  /** It is a job: waiting, or leased. */
  readonly isQueued: boolean;
  /** A batch that is being written has it. */
  readonly isUnderway: boolean;
  /** The log has it as it shall be, and nobody holds it: memory need not have it. */
  readonly isIdle: boolean;

  private constructor(
    readonly fate: Fate,
    readonly written: Written,
  ) {
    this.isQueued = fate === 'waiting' || fate === 'leased' || fate === 'hidden';
    this.isUnderway = written === 'underway' || written === 'again';
    this.isIdle = written === 'saved' && fate !== 'leased';
  }

  /** The phase of a job that is not there and of which the log knows nothing. */
  static readonly none = Phase.all();

  /** Makes all of them; answers the one of nothing. */
  private static all(): Phase {
    const all = FATES.flatMap((fate) => WRITTEN.map((written) => new Phase(fate, written)));
    const phase = (fate: Fate, written: Written): Phase =>
      all[FATES.indexOf(fate) * WRITTEN.length + WRITTEN.indexOf(written)]!;
    for (const each of all) {
      const fates = FATES.map((fate) => [fate, phase(fate, each.written)]);
      const steps = Object.entries(STEPS).map(([step, next]) => [step, phase(each.fate, next[each.written])]);
      Object.freeze(Object.assign(each, Object.fromEntries([...fates, ...steps])));
    }
    return phase('gone', 'saved');
  }
}
