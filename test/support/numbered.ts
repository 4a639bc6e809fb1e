/** What an event's `names` or `rows` tell, by the functions' numbers: one stands only before an item that has not the next one. */
export function numbered<Item>(list: readonly (number | Item)[]): (readonly [id: number, item: Item])[] {
  let id = 0;
  return list.flatMap((each) => {
    if (typeof each !== 'number') return [[id++, each] as const];
    id = each;
    return [];
  });
}
