/** So many are done together; others have their turn before the next ones. */
const SLICE = 250;

/**
 * Does something to each of many, as long as who wanted it is there.
 *
 * @param act whether it was done.
 * @returns how many it was done to.
 */
export async function doneTo<Item>(
  items: readonly Item[],
  gone: AbortSignal,
  act: (item: Item) => boolean | Promise<boolean>,
): Promise<number> {
  let done = 0;
  for (const [index, item] of items.entries()) {
    if (index % SLICE === SLICE - 1) await new Promise(setImmediate);
    if (gone.aborted) break;
    if (await act(item)) done++;
  }
  return done;
}
