import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { GearmanJobServer } from 'nestjs-gearman/job-server';

/** Runs the workers as processes of their own, and counts the jobs that each of them gets. */
@Injectable()
export class WorkerProcesses implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly jobs = new Map<string, number>();
  private processes: ChildProcess[] = [];

  constructor(private readonly jobServer: GearmanJobServer) {
    jobServer.events$.subscribe((event) => {
      if (event.type !== 'assigned') return;
      const { clientId } = event.args[1];
      this.jobs.set(clientId, (this.jobs.get(clientId) ?? 0) + 1);
    });
  }

  /** How many jobs each worker has got so far. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.jobs);
  }

  onApplicationBootstrap(): void {
    const program = fileURLToPath(new URL('./worker.js', import.meta.url));
    const env = { ...process.env, GEARMAN_SERVERS: this.jobServer.addresses[0] };
    this.processes = Array.from({ length: Number(process.env.WORKERS ?? 2) }, () => fork(program, { env }));
  }

  /** Lets the workers finish the images that they have begun. */
  async beforeApplicationShutdown(): Promise<void> {
    const running = this.processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ends = running.map((worker) => once(worker, 'exit'));
    for (const worker of running) worker.kill('SIGTERM');
    await Promise.all(ends);
  }
}
