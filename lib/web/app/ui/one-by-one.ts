import { Problem } from '../state/api.js';

/** So many requests at once: a browser has six connections to one place, and the stream has one of them. */
const AT_ONCE = 4;

/**
 * Does something to each of many.
 *
 * @returns how many it was done to; those that were gone meanwhile are no failure, and not counted.
 * @throws Problem for the first that failed otherwise; the others were done.
 */
export async function oneByOne<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<number> {
  let [next, done] = [0, 0];
  let failure: unknown;
  const run = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++]!;
      try {
        await act(item);
        done++;
      } catch (error) {
        if (!(error instanceof Problem && error.status === 404)) failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  if (failure !== undefined) throw failure;
  return done;
}
