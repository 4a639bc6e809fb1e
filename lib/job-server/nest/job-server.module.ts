import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { GearmanJobServer } from './gearman-job-server.js';
import { HandlerSchedules } from './handler-schedules.js';
import { ConfigurableModuleClass } from './job-server.module-definition.js';

/**
 * A Gearman job server inside a Nest app.
 *
 * ```ts
 * @Module({ imports: [GearmanJobServerModule.forRoot({ listeners: [{ port: 4730 }] })] })
 * ```
 *
 * Options: `JobServerOptions`; `isGlobal: true` beside them makes
 * `GearmanJobServer` injectable everywhere. `forRootAsync` takes `useFactory`,
 * `useClass` and `useExisting`.
 */
@Module({ imports: [DiscoveryModule], providers: [GearmanJobServer, HandlerSchedules], exports: [GearmanJobServer] })
export class GearmanJobServerModule extends ConfigurableModuleClass {}
