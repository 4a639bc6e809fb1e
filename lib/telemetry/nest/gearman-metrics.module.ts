import { Controller, Get, Inject, Module, Res, VERSION_NEUTRAL, type DynamicModule, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PROMETHEUS_CONTENT_TYPE } from '../forms/index.js';
import { GearmanMetrics } from './gearman-metrics.js';

/** Options of {@link GearmanMetricsModule}. */
export interface GearmanMetricsModuleOptions {
  /** Where the metrics are served, behind the app's global prefix. `false`: nowhere, inject `GearmanMetrics`. Default `metrics`. */
  path?: string | false;
  /** Whether every module may inject `GearmanMetrics` without importing this one. Default false. */
  isGlobal?: boolean;
}

/** The answer of Express and of Fastify alike, as far as it is needed. */
interface HttpResponse {
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

/**
 * Serves this app's Gearman metrics to Prometheus, and provides
 * {@link GearmanMetrics}.
 *
 * ```ts
 * GearmanMetricsModule.forRoot({ path: 'metrics' });
 * ```
 *
 * The route is a controller's: the app's guards, prefix and middleware apply
 * to it, so a guard that asks for a login asks Prometheus too. There is no
 * `forRootAsync`: Nest makes routes before providers, so the path of one cannot
 * come from a provider, and nothing else here could.
 */
@Module({})
export class GearmanMetricsModule {
  /** The module with these options. */
  static forRoot({ path = 'metrics', isGlobal = false }: GearmanMetricsModuleOptions = {}): DynamicModule {
    return {
      module: GearmanMetricsModule,
      global: isGlobal,
      imports: [DiscoveryModule],
      providers: [GearmanMetrics],
      controllers: path === false ? [] : [controllerAt(path)],
      exports: [GearmanMetrics],
    };
  }
}

function controllerAt(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class GearmanMetricsController {
    constructor(@Inject(GearmanMetrics) private readonly metrics: GearmanMetrics) {}

    // The response itself: an interceptor that wraps every answer of the app would wrap this one too.
    @Get()
    async read(@Res() response: HttpResponse): Promise<void> {
      const text = await this.metrics.textInTurns();
      response.header('Content-Type', PROMETHEUS_CONTENT_TYPE);
      response.send(text);
    }
  }
  return GearmanMetricsController;
}
