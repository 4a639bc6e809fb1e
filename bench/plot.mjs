import { LOADS } from './loads.mjs';
import { CONTESTANTS } from './table.mjs';

/** Colours that can be told apart by colour-blind readers and on paper. */
const COLOURS = { gearmand: '#d55e00', ours: '#0072b2', 'node-floor': '#56b4e9', 'c-floor': '#999999' };
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
const NAMES = Object.keys(CONTESTANTS);
const WIDTH = 760;

/**
 * Bars by load, one for each contestant. Loads differ by powers of ten, so each
 * has a scale of its own; the numbers stand beside the bars. Of two figures the
 * larger one is drawn lighter, behind the smaller one.
 */
export function bars({ title, figures }, loads) {
  const [bar, gap, left, top] = [14, 26, 250, 60];
  const room = WIDTH - left - 110;
  const names = Object.keys(loads).filter((name) => figures.every((figure) => LOADS[name].figures.includes(figure)));
  let y = top;
  const groups = names.map((name) => {
    const medians = loads[name];
    const most = Math.max(...NAMES.map((who) => medians[who]?.[figures.at(-1)] ?? 0));
    const rows = NAMES.filter((who) => medians[who]).map((who) => {
      const values = figures.map((figure) => medians[who][figure]);
      const drawn = values.map((value, index) => {
        const opacity = index === 0 ? 1 : 0.4;
        const width = Math.max(1, (value / most) * room).toFixed(1);
        return `<rect x="${left}" y="${y}" width="${width}" height="${bar - 2}" fill="${COLOURS[who]}" opacity="${opacity}"/>`;
      });
      const end = (left + (values.at(-1) / most) * room + 6).toFixed(1);
      const row = [...drawn.reverse(), text(end, y + 10, values.map(short).join(' / '))];
      y += bar;
      return row.join('\n');
    });
    const label = text(left - 10, y - bar * 2 + 4, name, 'end');
    y += gap - bar;
    return [label, ...rows].join('\n');
  });
  return svg(y + 10, [text(20, 24, title, 'start', 'bold'), legend(44), ...groups]);
}

/** Two panels over the thing that grows: the rate, and the CPU time a job. */
export function lines({ title }, steps) {
  const height = 330;
  const panels = [
    { figure: 'perSecond', name: 'jobs a second', x: 70 },
    { figure: 'cpuMicros', name: 'CPU us a job', x: 440 },
  ].map((panel) => panelOf(panel, steps, height));
  const heading = text(20, 24, `Growth with the number of ${title}`, 'start', 'bold');
  return svg(height, [heading, legend(44), ...panels]);
}

function panelOf({ figure, name, x }, steps, height) {
  const [width, top, bottom] = [280, 80, height - 40];
  const values = steps.flatMap((step) => NAMES.map((who) => step[who]?.[figure] ?? 0));
  const most = niceAbove(Math.max(...values));
  const first = Math.log10(steps[0].at);
  const span = Math.log10(steps.at(-1).at) - first || 1;
  const across = (at) => (x + ((Math.log10(at) - first) / span) * width).toFixed(1);
  const up = (value) => (bottom - (value / most) * (bottom - top)).toFixed(1);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = up(part * most);
    const line = `<line x1="${x}" y1="${y}" x2="${x + width}" y2="${y}" stroke="#ddd"/>`;
    return `${line}\n${text(x - 6, Number(y) + 4, short(part * most), 'end')}`;
  });
  const marks = steps.map(({ at }) => text(across(at), bottom + 18, short(at), 'middle'));
  const curves = NAMES.filter((who) => steps.some((step) => step[who])).map((who) => {
    const points = steps.filter((step) => step[who]).map((step) => `${across(step.at)},${up(step[who][figure])}`);
    const dots = points.map(
      (point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${COLOURS[who]}"/>`,
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[who]}" stroke-width="2"/>\n${dots.join('')}`;
  });
  return [text(x, top - 12, name), ...grid, ...marks, ...curves].join('\n');
}

function legend(y) {
  return NAMES.map((who, index) => {
    const x = 20 + index * 130;
    return `<rect x="${x}" y="${y - 9}" width="10" height="10" fill="${COLOURS[who]}"/>\n${text(x + 16, y, CONTESTANTS[who])}`;
  }).join('\n');
}

function svg(height, parts) {
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ${FONT}>`;
  return `${[open, `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`, ...parts, '</svg>'].join('\n')}\n`;
}

function text(x, y, words, anchor = 'start', weight = 'normal') {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-weight="${weight}" fill="#222">${words}</text>`;
}

/** A number in a short form for an axis or a bar. */
function short(value) {
  if (value >= 1e6) return `${round(value / 1e6)}M`;
  if (value >= 1e4) return `${Math.round(value / 1e3)}k`;
  if (value >= 1e3) return `${round(value / 1e3)}k`;
  return String(value >= 100 ? Math.round(value) : round(value));
}

function round(value) {
  return Math.round(value * 10) / 10;
}

/** The next larger one of 1, 2, 4, 5, 8 times a power of ten. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 4, 5, 8, 10].map((step) => step * power).find((step) => step >= value);
}
