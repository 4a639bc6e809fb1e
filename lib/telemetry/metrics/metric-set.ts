import { METRIC_PREFIX, METRICS, metricDefinition, type MetricName, type MetricOrigin } from './catalogue.js';
import type {
  HistogramSample,
  HistogramValue,
  MetricFamily,
  MetricLabels,
  NumberSample,
  Together,
} from './metric-family.js';

const NO_LABELS: MetricLabels = {};

type Sample = NumberSample | HistogramSample;

/**
 * Collects the families of one source: numbers are added in any order and come
 * out family by family. Families without numbers are included, so that whoever
 * registers families knows all of them.
 */
export class MetricSet {
  private readonly samples: ReadonlyMap<MetricName, Sample[]>;

  constructor(...origins: readonly MetricOrigin[]) {
    const names = (Object.keys(METRICS) as MetricName[]).filter((name) =>
      origins.includes(metricDefinition(name).from),
    );
    this.samples = new Map(names.map((name) => [name, []]));
  }

  /** Adds a number of a counter, gauge or summary. */
  add(name: MetricName, value: number, labels: MetricLabels = NO_LABELS): void {
    this.of(name).push({ labels, value });
  }

  addHistogram(name: MetricName, value: HistogramValue, labels: MetricLabels = NO_LABELS): void {
    this.of(name).push({ labels, value });
  }

  /** The families, in the order of the catalogue. */
  families(): MetricFamily[] {
    return [...this.samples].map(([name, samples]) => {
      const { type, help, together } = metricDefinition(name);
      return { name: METRIC_PREFIX + name, type, help, together, samples } as MetricFamily;
    });
  }

  private of(name: MetricName): Sample[] {
    return this.samples.get(name)!;
  }
}

/** Several sources' families as one list: each family is in it once, and so is each set of labels, with their numbers made one. */
export function mergeFamilies(lists: Iterable<readonly MetricFamily[]>): MetricFamily[] {
  const merged = new Map<string, MetricFamily[]>();
  for (const list of lists) {
    for (const family of list) {
      const same = merged.get(family.name);
      if (same) same.push(family);
      else merged.set(family.name, [family]);
    }
  }
  return [...merged.values()].map((families) => (families.length === 1 ? families[0]! : joined(families)));
}

function joined(families: readonly MetricFamily[]): MetricFamily {
  const { together = 'sum' } = families[0]!;
  const samples = new Map<string, Sample>();
  for (const sample of families.flatMap((family): readonly Sample[] => family.samples)) {
    const key = JSON.stringify(Object.entries(sample.labels).sort(([one], [other]) => (one < other ? -1 : 1)));
    const before = samples.get(key);
    samples.set(key, before ? both(before, sample, together) : sample);
  }
  return { ...families[0]!, samples: [...samples.values()] } as MetricFamily;
}

function both(one: Sample, other: Sample, together: Together): Sample {
  const { labels } = one;
  if (typeof one.value === 'number' || typeof other.value === 'number') {
    return { labels, value: TOGETHER[together](one.value as number, other.value as number) };
  }
  const { value } = other;
  const cumulative = one.value.cumulative.map((count, index) => count + value.cumulative[index]!);
  const count = one.value.count + value.count;
  return { labels, value: { ...one.value, cumulative, count, sum: one.value.sum + value.sum } };
}

const TOGETHER: Readonly<Record<Together, (one: number, other: number) => number>> = {
  sum: (one, other) => one + other,
  max: Math.max,
  min: Math.min,
};
