import { Problem } from '../state/api.js';

/** How many requests run at once: a browser has six connections to one host, and the stream uses one of them. */
const AT_ONCE = 4;

/**
 * Does something to each of many items.
 *
 * @returns to how many it was done; items that no longer existed are not counted, and are no failure.
 * @throws Problem for the first other failure; the other items were done.
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
