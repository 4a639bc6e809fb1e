import { FIGURES, LOADS } from './loads.mjs';

/** How much of a stored figure may be lost before the check fails, as a fraction. */
const TOLERANCE = 0.15;
/** The contestant that ours is divided by: it depends on the machine as ours does, and has nothing that could become slower. */
export const YARDSTICK = 'node-floor';
/** The figures that are checked. Latencies are not: they mean nothing on a machine that does other things as well. */
const CHECKED = ['perSecond', 'cpuMicros', 'bytesEach'];

/**
 * Compares a load with a stored result. Compared is our figure as a multiple of
 * the floor's in the same run, so the machines may differ.
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
