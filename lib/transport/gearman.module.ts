import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
} from '@nestjs/common';
import type { GearmanClientOptions } from './client-options.js';
import { GearmanClient } from './gearman.client.js';
import { getGearmanClientToken } from './gearman.decorators.js';
import { GearmanHealthIndicator } from './gearman.health.js';

/** Options of `GearmanModule.forRoot`: the client's, and how it can be injected. */
export type GearmanModuleOptions = GearmanClientOptions & GearmanModuleExtras;

/** Options of `forRoot` and `forRootAsync` in addition to the client's. */
export interface GearmanModuleExtras {
  /** The client's name, for applications with several clients: `@InjectGearmanClient(name)`. Default: none, inject `GearmanClient`. */
  name?: string;
  /** Whether every module may inject the client without importing this one. Default false. */
  isGlobal?: boolean;
}

/** The interface of a class for `forRootAsync({ useClass })` or `useExisting`. */
export interface GearmanOptionsFactory {
  createGearmanOptions(): GearmanClientOptions | Promise<GearmanClientOptions>;
}

/** Options of `GearmanModule.forRootAsync`: one of `useFactory`, `useClass`, `useExisting`, and the extras. */
export type GearmanModuleAsyncOptions = ConfigurableModuleAsyncOptions<GearmanClientOptions, 'createGearmanOptions'> &
  GearmanModuleExtras;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<GearmanClientOptions>({
  moduleName: 'Gearman',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createGearmanOptions')
  .setExtras<GearmanModuleExtras>({ name: undefined, isGlobal: false }, withClient)
  .build();

/**
 * Provides a {@link GearmanClient}, and a {@link GearmanHealthIndicator} for it.
 *
 * ```ts
 * GearmanModule.forRoot({ servers: 'jobs:4730', isGlobal: true });
 * GearmanModule.forRootAsync({
 *   name: 'reports',
 *   useFactory: (config: ConfigService) => ({ servers: config.get('REPORTS') }),
 *   inject: [ConfigService],
 * });
 * ```
 */
@Module({})
export class GearmanModule extends ConfigurableModuleClass {
  /** Provides a client with these options. */
  static override forRoot(options: GearmanModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Provides a client whose options another provider makes: `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(options: GearmanModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function withClient(definition: DynamicModule, { name, isGlobal }: GearmanModuleExtras): DynamicModule {
  const client = getGearmanClientToken(name);
  const providers = [
    {
      provide: client,
      useFactory: (options: GearmanClientOptions) => new GearmanClient(options),
      inject: [MODULE_OPTIONS_TOKEN],
    },
    {
      provide: GearmanHealthIndicator,
      useFactory: (source: GearmanClient) => new GearmanHealthIndicator(source),
      inject: [client],
    },
  ];
  return {
    ...definition,
    global: isGlobal,
    providers: [...(definition.providers ?? []), ...providers],
    exports: [client, GearmanHealthIndicator],
  };
}
