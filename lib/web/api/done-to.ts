/** How many items are done before others get a turn of the event loop. */
const SLICE = 250;

/**
 * Does something to many items, as long as the caller is there.
 *
 * @param act does it to one item; returns whether it was done.
 * @returns to how many items it was done.
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
