/** The entries of an event's `names` or `rows`, each with its function's number; in the list a number stands only before an entry that is not the next one. */
export function numbered<Item>(list: readonly (number | Item)[]): (readonly [id: number, item: Item])[] {
  let id = 0;
  return list.flatMap((each) => {
    if (typeof each !== 'number') return [[id++, each] as const];
    id = each;
    return [];
  });
}
