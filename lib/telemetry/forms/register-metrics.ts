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

/** A registry of `prom-client` or `@prometheus-io/client`: the one method that is needed. */
export interface MetricRegister {
  registerMetric(metric: never): void;
}

/**
 * Registers everything that the sources measure with a registry of `prom-client`
 * or `@prometheus-io/client`. The numbers are read whenever the registry is read;
 * resetting the registry does not change them.
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

/** The metrics of the sources, read once for each scrape: a registry asks all its metrics in the same turn of the event loop. */
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

/** A value in the form that those registries expect. */
interface RegistryValue {
  labels: MetricLabels & { le?: string };
  value: number;
  metricName?: string;
}

/** A family as a metric of a registry, with only the members that registries use. */
class RegisteredMetric {
  readonly help: string;
  readonly type: MetricType;
  /** How the numbers of a cluster's processes become one number; the registries use the same words as we do. */
  readonly aggregator: Together;
  /** Not readonly, because for OpenMetrics a registry takes `_total` off the name, and appends it to each value. */
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

  /** Called by a registry's `resetMetrics`. Does nothing, because the numbers belong to the sources, and others read them too. */
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
