import { Module } from '@nestjs/common';
import { GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { JobServerWatch } from './job-server-watch.js';

/** Only a job server: what `gearmand` is, as a Nest app of your own. */
@Module({
  imports: [
    GearmanJobServerModule.forRootAsync({
      useFactory: () => ({
        listeners: [{ host: process.env.GEARMAN_HOST ?? '127.0.0.1', port: Number(process.env.GEARMAN_PORT ?? 4730) }],
        // A job that has lost its worker three times is not given to a fourth one.
        jobRetries: 3,
      }),
    }),
  ],
  providers: [JobServerWatch],
})
export class JobServerAppModule {}
