import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { format } from 'oxfmt';
import { GROWTHS, LOADS } from './loads.mjs';
import { bars, lines } from './plot.mjs';
import { comparisonOf, HEAD, rowsOf } from './table.mjs';

const PAGE = new URL('../docs/PERFORMANCE.md', import.meta.url);
const README = new URL('../README.md', import.meta.url);
const FOLDER = new URL('../docs/performance/', import.meta.url);
/** The file of the stored result, with which `check` compares. */
export const STORED = new URL('results.json', FOLDER);

/** The figures of all loads that each plot shows. */
const PLOTS = {
  rate: { title: 'Jobs a second, longer is better', figures: ['perSecond'] },
  cpu: { title: 'CPU of the job server, microseconds a job, shorter is better', figures: ['cpuMicros'] },
  latency: { title: 'Latency in microseconds, p50 (dark) and p99 (light), shorter is better', figures: ['p50', 'p99'] },
};

/** A result as JSON: where it was measured, and the medians. */
export function resultOf({ calls, loads, growth }) {
  const [{ model }] = cpus();
  const busy = Math.round(loadavg()[0]);
  const machine = { cpu: model, cores: cpus().length, busy, node: process.version, ...calls };
  return { date: new Date().toISOString().slice(0, 10), machine, loads, growth };
}

export function readResult(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Stores a result, keeping other loads that were stored before, and makes the page's tables and plots again. */
export async function save(result) {
  mkdirSync(FOLDER, { recursive: true });
  const stored = readStored();
  const kept = {
    ...result,
    loads: inOrder(LOADS, { ...stored.loads, ...result.loads }),
    growth: inOrder(GROWTHS, { ...stored.growth, ...result.growth }),
  };
  writeFileSync(STORED, `${JSON.stringify(kept, undefined, 2)}\n`);
  for (const [name, plot] of Object.entries(PLOTS)) write(`${name}.svg`, bars(plot, kept.loads));
  for (const [name, growth] of Object.entries(kept.growth)) write(`growth-${name}.svg`, lines(GROWTHS[name], growth));
  await writeInto(PAGE, pageOf(kept));
  await writeInto(README, comparisonOf(kept.loads).join('\n'));
}

function readStored() {
  try {
    return readResult(STORED);
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

function inOrder(order, results) {
  return Object.fromEntries(
    Object.keys(order)
      .filter((name) => results[name])
      .map((name) => [name, results[name]]),
  );
}

function write(name, text) {
  writeFileSync(new URL(name, FOLDER), text);
}

function pageOf({ date, machine, loads }) {
  const { cpu, cores, busy, node, writeMicros, readMicros } = machine;
  return [
    `Measured on ${date}: ${cores} cores (${cpu}), Node ${node}, ${runsOf(loads)}; there a \`write\` of a packet costs`,
    `${writeMicros} us and a \`read\` ${readMicros} us. When the run began, ${busy} other programs wanted a core. Other programs make rates and p99 less`,
    `reliable, and they slow down what has one thread more than what has several.`,
    '',
    ...HEAD,
    ...Object.entries(loads).flatMap(([name, medians]) => rowsOf(LOADS[name], medians)),
  ].join('\n');
}

/** How many runs the medians come from; loads may have been measured at different times. */
function runsOf(loads) {
  const counts = Object.values(loads).map(({ runs }) => runs);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `medians of ${least === most ? least : `${least} to ${most}`} runs`;
}

const [BEGIN, END] = ['<!-- measured: npm run bench -- --save writes from here -->', '<!-- to here -->'];

/** Writes a section into the place that a page has for measured figures. */
async function writeInto(file, section) {
  const page = readFileSync(file, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < 0) throw new Error(`${file.pathname} has lost its marks ${BEGIN} and ${END}`);
  const whole = `${page.slice(0, before)}${BEGIN}\n\n${section}\n\n${page.slice(after)}`;
  const style = JSON.parse(readFileSync(new URL('../.oxfmtrc.json', import.meta.url), 'utf8'));
  writeFileSync(file, (await format(file.pathname, whole, style)).code);
}
