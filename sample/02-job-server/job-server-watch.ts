import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import type { Subscription } from 'rxjs';

/** What embedding adds to `gearmand`: the job server is a provider, and its events are an observable. */
@Injectable()
export class JobServerWatch implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(JobServerWatch.name);
  private subscription: Subscription | undefined;

  constructor(private readonly jobServer: GearmanJobServer) {}

  onModuleInit(): void {
    this.subscription = this.jobServer.events$.subscribe((event) => {
      if (event.type === 'workerJoined') this.logger.log(`worker for ${event.args[0].functions.join(', ')} joined`);
      if (event.type === 'failed') this.logger.warn(`job ${event.args[0].handle} (${event.args[0].function}) failed`);
    });
  }

  onModuleDestroy(): void {
    this.subscription?.unsubscribe();
  }
}
