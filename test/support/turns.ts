const ENOUGH = 10_000;

/**
 * Lets the event loop turn until `condition` is true. For everything that needs only
 * turns and no time: packets between two ends in memory, promises. It also works while
 * a test controls the clock.
 */
export async function turnsUntil(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn === ENOUGH) throw new Error(`waited ${ENOUGH} turns of the event loop in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets the event loop turn often enough that everything on its way in memory has arrived. */
export async function settled(): Promise<void> {
  let turns = 0;
  await turnsUntil('it has settled', () => turns++ === 20);
}
