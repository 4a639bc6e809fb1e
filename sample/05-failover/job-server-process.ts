import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./job-server.js', import.meta.url));

/** A job server that can be killed and started again at the same address. */
export class JobServerProcess {
  private constructor(
    readonly port: number,
    private child: ChildProcess,
  ) {}

  /** The address, as clients and workers write it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(port = 0): Promise<JobServerProcess> {
    const child = fork(PROGRAM, [String(port)]);
    const [actualPort] = (await once(child, 'message')) as [number];
    return new JobServerProcess(actualPort, child);
  }

  /** `kill -9`: its peers get no goodbye. */
  async kill(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  async startAgain(): Promise<void> {
    this.child = (await JobServerProcess.start(this.port)).child;
  }
}
