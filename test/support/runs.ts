/** How many times as often as by default what is random is tried; `npm run fuzz` sets it. */
const FUZZ = Number(process.env['FUZZ'] ?? 1);

/**
 * How often a property is tried, as fast-check's parameters. By default seldom,
 * so that the tests of one change cost seconds; each run tries other cases, and
 * every night `npm run fuzz` tries many.
 */
export function runs(usual: number): { numRuns: number } {
  return { numRuns: Math.ceil(usual * FUZZ) };
}
