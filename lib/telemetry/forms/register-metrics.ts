import {
  mergeFamilies,
  type MetricFamily,
  type MetricLabels,
  type MetricSource,
  type MetricType,
  type Together,
} from '../metrics/index.js';
import { readInTurns } from './in-turns.js';
import { bucketsOf } from './prometheus-text.js';

/** A registry of `prom-client` or `@prometheus-io/client`, as far as it is needed. */
export interface MetricRegister {
  registerMetric(metric: never): void;
}

/**
 * Makes everything the sources measure part of a registry of `prom-client` or
 * `@prometheus-io/client`. The numbers are read whenever the registry is;
 * resetting the registry leaves them alone.
 *
 * ```ts
 * registerMetrics(register, jobServer, client, strategy);
 * ```
 */
export function registerMetrics(register: MetricRegister, ...sources: readonly MetricSource[]): void {
  const reading = new SharedReading(sources);
  for (const family of mergeFamilies(sources.map((source) => source.metrics()))) {
    register.registerMetric(new RegisteredMetric(family, reading) as never);
  }
}

/** What the sources tell, read once for all metrics of one scrape: a registry asks every metric in the same turn. */
class SharedReading {
  private read: Promise<ReadonlyMap<string, MetricFamily>> | undefined;

  constructor(private readonly sources: readonly MetricSource[]) {}

  families(): Promise<ReadonlyMap<string, MetricFamily>> {
    if (!this.read) {
      this.read = byName(this.sources);
      const forget = (): void => (this.read = undefined);
      this.read.then(forget, forget);
    }
    return this.read;
  }
}

async function byName(sources: readonly MetricSource[]): Promise<ReadonlyMap<string, MetricFamily>> {
  return new Map((await readInTurns(sources)).map((family) => [family.name, family]));
}

/** A value as those registries write it out. */
interface RegistryValue {
  labels: MetricLabels & { le?: string };
  value: number;
  metricName?: string;
}

/** A family as a metric of a registry: what the registries call, and no more. */
class RegisteredMetric {
  readonly help: string;
  readonly type: MetricType;
  /** How a cluster's processes become one number, in those registries' words, which are ours. */
  readonly aggregator: Together;
  /** In its OpenMetrics form a registry takes `_total` off, and puts it behind each value again. */
  name: string;
  private readonly familyName: string;

  constructor(
    { name, help, type, together = 'sum' }: MetricFamily,
    private readonly reading: SharedReading,
  ) {
    this.name = this.familyName = name;
    this.help = help;
    this.type = type;
    this.aggregator = together;
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const family = (await this.reading.families()).get(this.familyName);
    return { name, help, type, aggregator, values: family ? valuesOf(family) : [] };
  }

  /** A registry's `resetMetrics`: these numbers are the sources', and others read them as well. */
  reset(): void {}
}

function valuesOf(family: MetricFamily): RegistryValue[] {
  if (family.type !== 'histogram') return family.samples.map(({ labels, value }) => ({ labels, value }));
  return family.samples.flatMap(({ labels, value }) => [
    ...bucketsOf(value).map(([le, count]) => {
      return { metricName: `${family.name}_bucket`, labels: { ...labels, le }, value: count };
    }),
    { metricName: `${family.name}_sum`, labels, value: value.sum },
    { metricName: `${family.name}_count`, labels, value: value.count },
  ]);
}
