import { Module } from '@nestjs/common';
import { GearmanJobServer } from './gearman-job-server.js';
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
@Module({ providers: [GearmanJobServer], exports: [GearmanJobServer] })
export class GearmanJobServerModule extends ConfigurableModuleClass {}
