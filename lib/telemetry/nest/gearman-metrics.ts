import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { prometheusText, prometheusTextInTurns, readInTurns } from '../forms/index.js';
import { isAppMetricSource, mergeFamilies, type MetricFamily, type MetricSource } from '../metrics/index.js';

/**
 * What this app measures of Gearman: its embedded job server, its clients, and
 * what was added. A strategy is made outside of the app's modules, so it is
 * added where it is made:
 *
 * ```ts
 * app.get(GearmanMetrics).add(strategy);
 * ```
 */
@Injectable()
export class GearmanMetrics implements MetricSource {
  private readonly added = new Set<MetricSource>();

  /** Made by Nest. */
  constructor(private readonly discovery: DiscoveryService) {}

  /** Adds sources of metrics. One that was added before is not added twice. */
  add(...sources: readonly MetricSource[]): this {
    for (const source of sources) this.added.add(source);
    return this;
  }

  /** Every family, as it is now. */
  metrics(): MetricFamily[] {
    return mergeFamilies([...this.sources()].map((source) => source.metrics()));
  }

  /** The same in Prometheus' text format. */
  text(): string {
    return prometheusText(this.metrics());
  }

  /** {@link metrics}, with turns of the event loop for everything else in between. */
  metricsInTurns(): Promise<MetricFamily[]> {
    return readInTurns(this.sources());
  }

  /** {@link text}, with turns of the event loop for everything else in between. */
  async textInTurns(): Promise<string> {
    return prometheusTextInTurns(await this.metricsInTurns());
  }

  /** Providers are looked up each time: dynamic and lazy modules bring some later. */
  private sources(): Set<MetricSource> {
    const provided = this.discovery.getProviders().map(({ instance }): unknown => instance);
    return new Set([...provided.filter(isAppMetricSource), ...this.added]);
  }
}
