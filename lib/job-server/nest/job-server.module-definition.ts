import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { JobServerOptions } from '../job-server-options.js';

/** What makes the options, for `forRootAsync({ useClass })` and `useExisting`. */
export interface GearmanJobServerOptionsFactory {
  createGearmanJobServerOptions(): JobServerOptions | Promise<JobServerOptions>;
}

const builder = new ConfigurableModuleBuilder<JobServerOptions>({ moduleName: 'GearmanJobServer' })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createGearmanJobServerOptions')
  .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/** The base of {@link GearmanJobServerModule}, with `forRoot` and `forRootAsync`. */
export const { ConfigurableModuleClass } = builder;

/** The token of the job server's options. */
export const JOB_SERVER_OPTIONS = builder.MODULE_OPTIONS_TOKEN;
