import { FIGURES, LOADS } from './loads.mjs';

/** What may be lost before it is said, as a part of what was stored. */
const TOLERANCE = 0.15;
/** What ours is divided by: it feels the machine as ours does, and has nothing that could become slower. */
export const YARDSTICK = 'node-floor';
/** Latencies are not checked: on a machine that does other things as well they say nothing. */
const CHECKED = ['perSecond', 'cpuMicros', 'bytesEach'];

/**
 * Compares a load with a stored result: what ours is, as a multiple of the floor
 * measured in the same run. So the machines may differ.
 *
 * @returns one line a figure, and whether one fell by more than 15 %.
 */
export function check(name, stored, measured) {
  const figures = LOADS[name].figures.filter((figure) => CHECKED.includes(figure));
  const findings = figures.map((figure) => compare(figure, ratioOf(stored, figure), ratioOf(measured, figure)));
  return {
    lines: findings.map(({ line }) => `${name}: ${line}`),
    hasFallen: findings.some(({ hasFallen }) => hasFallen),
  };
}

function compare(figure, before, now) {
  const { title, better } = FIGURES[figure];
  if (!(before > 0 && now > 0)) return { line: `${title}: nothing to compare with`, hasFallen: false };
  const gain = better === 'higher' ? now / before - 1 : before / now - 1;
  const hasFallen = gain < -TOLERANCE;
  const percent = `${gain < 0 ? '' : '+'}${(gain * 100).toFixed(0)} %`;
  const line = `${title}: ${now.toFixed(2)} of the floor, stored ${before.toFixed(2)} (${percent})`;
  return { line: hasFallen ? `${line} FELL` : line, hasFallen };
}

function ratioOf(medians, figure) {
  return medians?.ours?.[figure] / medians?.[YARDSTICK]?.[figure];
}
