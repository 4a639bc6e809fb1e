import { setImmediate as nextTurn } from 'node:timers/promises';
import { mergeFamilies, type MetricFamily, type MetricSource } from '../metrics/index.js';

/** How long one turn of the event loop may be used, in milliseconds; everything else waits that long. */
const SLICE = 3;

/** The turn of the event loop in which long work runs. */
export interface Turn {
  /** Whether the time of this turn is used up. */
  readonly isOver: boolean;
  /** Resolves in a later turn. */
  next(): Promise<void>;
}

/** A turn that is shared with nobody. */
class OwnTurn implements Turn {
  private endsAt = performance.now() + SLICE;

  get isOver(): boolean {
    return performance.now() >= this.endsAt;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.endsAt = performance.now() + SLICE;
  }
}

/** Does work piece by piece; between two pieces the event loop may do everything else. */
export async function inTurns<Result>(work: Generator<void, Result>, turn: Turn = new OwnTurn()): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (turn.isOver) await turn.next();
  }
}

/** The metrics of several sources, as one list; sources that take long are read in turns. */
export async function readInTurns(sources: Iterable<MetricSource>): Promise<MetricFamily[]> {
  return mergeFamilies(await Promise.all(Array.from(sources, sourceInTurns)));
}

/** The metrics of one source, read in turns if it takes long. */
export async function sourceInTurns(source: MetricSource): Promise<readonly MetricFamily[]> {
  return source.metricsInTurns ? source.metricsInTurns() : source.metrics();
}
