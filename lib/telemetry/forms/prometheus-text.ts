import type { HistogramSample, HistogramValue, MetricFamily, MetricLabels } from '../metrics/index.js';
import { inTurns } from './in-turns.js';

/** The content type of {@link prometheusText}. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Families in Prometheus' text format 0.0.4. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return [...prometheusChunks(families)].join('');
}

/** {@link prometheusText}; the event loop may do everything else in between. */
export function prometheusTextInTurns(families: readonly MetricFamily[]): Promise<string> {
  return inTurns(joined(prometheusChunks(families)));
}

function* joined(parts: Iterable<string>): Generator<void, string> {
  let text = '';
  for (const part of parts) {
    text += part;
    yield;
  }
  return text;
}

/** {@link prometheusText} family by family, for callers that do something else in between. */
export function* prometheusChunks(families: readonly MetricFamily[]): Iterable<string> {
  // A function's labels are the same object in all families, so their text is made once.
  const written = new Map<MetricLabels, string>();
  const labelsOf = (labels: MetricLabels): string => {
    let text = written.get(labels);
    if (text === undefined) written.set(labels, (text = labelText(labels)));
    return text;
  };
  for (const family of families) yield familyText(family, labelsOf);
}

function familyText(family: MetricFamily, labelsOf: (labels: MetricLabels) => string): string {
  if (family.samples.length === 0) return '';
  const { name, help, type } = family;
  let text = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
  if (family.type === 'histogram') {
    for (const sample of family.samples) text += histogramText(name, sample, labelsOf(sample.labels));
  } else {
    for (const { labels, value } of family.samples) text += `${name}${braced(labelsOf(labels))} ${numberText(value)}\n`;
  }
  return text;
}

function histogramText(name: string, { value }: HistogramSample, labels: string): string {
  const comma = labels === '' ? '' : ',';
  let text = '';
  for (const [le, count] of bucketsOf(value)) text += `${name}_bucket{${labels}${comma}le="${le}"} ${count}\n`;
  return `${text}${name}_sum${braced(labels)} ${numberText(value.sum)}\n${name}_count${braced(labels)} ${value.count}\n`;
}

/** A histogram's bounds as Prometheus writes them, each with its count, the infinite bound last. */
export function bucketsOf({ bounds, cumulative, count }: HistogramValue): [le: string, count: number][] {
  return [...bounds.map((bound, index): [string, number] => [numberText(bound), cumulative[index]!]), ['+Inf', count]];
}

function labelText(labels: MetricLabels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`)
    .join(',');
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
