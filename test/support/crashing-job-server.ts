import { join } from 'node:path';
import { AdminClient, type DeadJob } from '../../lib/driver/index.js';
import { startJobServerCommand } from './command.js';
import type { Daemon } from './daemon.js';
import { RawPeer } from './raw-peer.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** A job server process with its queue on disk, which may crash and come back. */
export class CrashingJobServer {
  private constructor(
    private readonly args: readonly string[],
    private daemon: Daemon,
  ) {}

  static async start(...options: string[]): Promise<CrashingJobServer> {
    const args = ['-q', 'file', '--queue-path', join(tempDir(), 'queue'), ...options];
    return new CrashingJobServer(args, await startJobServerCommand(args));
  }

  get address(): string {
    return `127.0.0.1:${this.daemon.port}`;
  }

  /** `kill -9`; then starts another process in its place. */
  async crash(): Promise<void> {
    await this.daemon.kill();
    this.daemon = await startJobServerCommand(this.args, this.daemon.port);
  }

  peer(): Promise<RawPeer> {
    return RawPeer.connect(this.daemon);
  }

  async submit(packet: string): Promise<string> {
    const client = await this.peer();
    client.send(packet);
    return (await client.next()).slice('JOB_CREATED '.length);
  }

  async worker(...abilities: string[]): Promise<RawPeer> {
    const worker = await this.peer();
    worker.send(...abilities);
    return worker;
  }

  async dead(): Promise<DeadJob[]> {
    const admin = new AdminClient({ server: this.address });
    try {
      return await admin.deadJobs();
    } finally {
      await admin.close();
    }
  }

  /** Waits for so many dead letters, and returns them. */
  async untilDead(count = 1): Promise<DeadJob[]> {
    let letters: DeadJob[] = [];
    await until(`${count} dead letters`, async () => (letters = await this.dead()).length === count);
    return letters;
  }

  async status(name: string): Promise<string | undefined> {
    const peer = await this.peer();
    peer.sendText('status\n');
    return (await peer.list()).find((line) => line.startsWith(`${name}\t`));
  }
}

/** Sleeps until there is a job, and grabs it. */
export async function grab(worker: RawPeer): Promise<string> {
  for (;;) {
    worker.send('PRE_SLEEP');
    const woken = await worker.next();
    if (woken !== 'NOOP') throw new Error(`a sleeping worker was told ${woken}, not NOOP`);
    worker.send('GRAB_JOB');
    const answer = await worker.next();
    if (answer !== 'NO_JOB') return answer;
  }
}
