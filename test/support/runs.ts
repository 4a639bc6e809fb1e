/** By what `npm run fuzz` multiplies the tries of random tests. */
const FUZZ = Number(process.env['FUZZ'] ?? 1);

/**
 * How often a property is tried, as fast-check's parameters. By default only a few
 * times, so that the tests of a change take seconds. Each run tries other cases, and
 * every night `npm run fuzz` tries many.
 */
export function runs(usual: number): { numRuns: number } {
  return { numRuns: Math.ceil(usual * FUZZ) };
}
