import { Controller, Get, Inject, Module, Res, VERSION_NEUTRAL, type DynamicModule, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PROMETHEUS_CONTENT_TYPE } from '../forms/index.js';
import { GearmanMetrics } from './gearman-metrics.js';

/** Options of {@link GearmanMetricsModule}. */
export interface GearmanMetricsModuleOptions {
  /** Where the metrics are served, behind the app's global prefix. `false`: nowhere; inject `GearmanMetrics` instead. Default `metrics`. */
  path?: string | false;
  /** Whether every module may inject `GearmanMetrics` without importing this one. Default false. */
  isGlobal?: boolean;
}

/** The methods of a response that Express and Fastify have in common. */
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
 * The route belongs to a controller: the app's guards, prefix and middleware
 * apply to it, so a guard that asks for a login asks Prometheus too. There is no
 * `forRootAsync`, because a provider could give it nothing: Nest reads a
 * controller's path, and whether a module is global, before it makes providers.
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

    // Writes to the response itself, because an interceptor that wraps all answers of the app would wrap a returned text too.
    @Get()
    async read(@Res() response: HttpResponse): Promise<void> {
      const text = await this.metrics.textInTurns();
      response.header('Content-Type', PROMETHEUS_CONTENT_TYPE);
      response.send(text);
    }
  }
  return GearmanMetricsController;
}
