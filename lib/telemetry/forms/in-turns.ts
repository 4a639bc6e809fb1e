import { setImmediate as nextTurn } from 'node:timers/promises';
import { mergeFamilies, type MetricFamily, type MetricSource } from '../metrics/index.js';

/** For how long everything else may be held up at once, in milliseconds. */
const SLICE = 3;

/** The turn of the event loop that a long work is in. */
export interface Turn {
  /** Whether enough of it has been spent. */
  readonly isOver: boolean;
  /** Resolves in a later one. */
  next(): Promise<void>;
}

/** A turn of nobody else's. */
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

/** Does a work piece by piece, and lets everything else have a turn of the event loop in between. */
export async function inTurns<Result>(work: Generator<void, Result>, turn: Turn = new OwnTurn()): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (turn.isOver) await turn.next();
  }
}

/** What several sources tell, as one list; those that take long are read in turns. */
export async function readInTurns(sources: Iterable<MetricSource>): Promise<MetricFamily[]> {
  return mergeFamilies(await Promise.all(Array.from(sources, sourceInTurns)));
}

/** What one source tells, read in turns where it takes long. */
export async function sourceInTurns(source: MetricSource): Promise<readonly MetricFamily[]> {
  return source.metricsInTurns ? source.metricsInTurns() : source.metrics();
}
