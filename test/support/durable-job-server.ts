import { startJobServerCommand } from './command.js';
import type { Daemon } from './daemon.js';
import { RawPeer } from './raw-peer.js';
import { until } from './until.js';

/** Starts `nestjs-gearman job-server` with its background jobs in the folder `path`. */
export function startDurableJobServer(path: string, args: readonly string[] = [], port?: number): Promise<Daemon> {
  return startJobServerCommand(['-q', 'file', '--queue-path', path, '-l', 'stderr', ...args], port);
}

/** Kills a job server (SIGKILL) and starts another one on its port and folder. */
export async function crashAndRestart(server: Daemon, path: string, args?: readonly string[]): Promise<Daemon> {
  await server.kill();
  return startDurableJobServer(path, args, server.port);
}

/** Submits and returns the handle; fails if the job server answers anything but JOB_CREATED. */
export async function mustAccept(client: RawPeer, submission: string): Promise<string> {
  client.send(submission);
  const answer = await client.next();
  const [, handle] = /^JOB_CREATED (.+)$/.exec(answer) ?? [];
  if (handle === undefined) throw new Error(`${submission} was answered with ${answer}`);
  return handle;
}

/** How many jobs of a function there are, waiting and running. */
export async function jobCount(server: Daemon, name = 'f'): Promise<number> {
  const admin = await RawPeer.connect(server);
  admin.sendText('status\n');
  const line = (await admin.list()).find((each) => each.startsWith(`${name}\t`));
  admin.destroy();
  return Number(line?.split('\t')[1] ?? 0);
}

/** Works until no job of a function is left, and returns their workloads in the order in which they came. */
export async function workAll(server: Daemon, name = 'f'): Promise<string[]> {
  const worker = await RawPeer.connect(server);
  const workloads: string[] = [];
  worker.send(`CAN_DO ${name}`);
  await until(`all jobs of ${name} have been done`, async () => {
    worker.send('GRAB_JOB');
    const answer = await worker.next();
    if (answer === 'NO_JOB') return (await jobCount(server, name)) === 0;
    const [, handle, , workload] = /^JOB_ASSIGN ([^·]+)·([^·]*)·(.*)$/s.exec(answer)!;
    workloads.push(workload!);
    worker.send(`WORK_COMPLETE ${handle}·`);
    return false;
  });
  worker.destroy();
  return workloads;
}
