import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { prometheusText, prometheusTextInTurns, readInTurns } from '../forms/index.js';
import { isAppMetricSource, mergeFamilies, type MetricFamily, type MetricSource } from '../metrics/index.js';

/**
 * The Gearman metrics of this app: of its embedded job server, of its clients,
 * and of the sources that were added. Nest makes a strategy outside of the app's
 * modules, so the app adds it itself:
 *
 * ```ts
 * app.get(GearmanMetrics).add(strategy);
 * ```
 */
@Injectable()
export class GearmanMetrics implements MetricSource {
  private readonly added = new Set<MetricSource>();

  /** Nest calls it. */
  constructor(private readonly discovery: DiscoveryService) {}

  /** Adds sources of metrics. A source that is added twice counts once. */
  add(...sources: readonly MetricSource[]): this {
    for (const source of sources) this.added.add(source);
    return this;
  }

  /** All families, as they are now. */
  metrics(): MetricFamily[] {
    return mergeFamilies([...this.sources()].map((source) => source.metrics()));
  }

  /** The same in Prometheus' text format. */
  text(): string {
    return prometheusText(this.metrics());
  }

  /** {@link metrics}; the event loop may do everything else in between. */
  metricsInTurns(): Promise<MetricFamily[]> {
    return readInTurns(this.sources());
  }

  /** {@link text}; the event loop may do everything else in between. */
  async textInTurns(): Promise<string> {
    return prometheusTextInTurns(await this.metricsInTurns());
  }

  /** Looks at the providers each time, because dynamic and lazy modules add some later. */
  private sources(): Set<MetricSource> {
    const provided = this.discovery.getProviders().map(({ instance }): unknown => instance);
    return new Set([...provided.filter(isAppMetricSource), ...this.added]);
  }
}
