import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./job-server.js', import.meta.url));

/** A job server of the fleet, in a process of its own. */
export class JobServerProcess {
  private constructor(
    /** Its address, as clients and workers write it. */
    readonly address: string,
    private readonly child: ChildProcess,
  ) {}

  /** Starts a job server with a name of its own, on the database that all share. */
  static async start(name: string, databaseUrl: string): Promise<JobServerProcess> {
    const child = fork(PROGRAM, [name, databaseUrl]);
    const [port] = (await once(child, 'message')) as [number];
    return new JobServerProcess(`127.0.0.1:${port}`, child);
  }

  /** `kill -9`: its peers get no goodbye. */
  async kill(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.disconnect();
    await exit;
  }
}
