import { JobServer, type JobServerOptions } from 'nestjs-gearman/job-server';
import { atEnd } from '../support/cleanup.js';
import { startGearmand } from '../support/gearmand.js';
import type { Scene } from './scene.js';

/** A job server that plays one scene. */
interface Stage {
  port: number;
  stop(): Promise<unknown>;
}

/** Starts C gearmand as the scene wants it. */
export async function gearmandFor(scene: Scene): Promise<Stage> {
  const daemon = await startGearmand(scene.flags);
  return { port: daemon.port, stop: () => daemon.kill() };
}

/** Starts our job server with the options that mean gearmand's, or with its defaults where gearmand does not play. */
export async function oursFor(scene: Scene): Promise<Stage> {
  const options = scene.flags.map(optionsOf);
  const like = scene.isOnlyOurs ? {} : LIKE_GEARMAND;
  const server = new JobServer({ listeners: [{ host: '127.0.0.1', port: 0 }], ...Object.assign({}, like, ...options) });
  await server.start();
  atEnd(() => server.stop());
  return { port: server.port!, stop: () => server.stop() };
}

/** What gearmand 1.1 does unless told otherwise. */
const LIKE_GEARMAND: JobServerOptions = { order: '1.1', wakeupsPerJob: 0 };

const OPTIONS: Record<string, (value: string) => JobServerOptions> = {
  '--job-retries': (value) => ({ jobRetries: Number(value) }),
  '--worker-wakeup': (value) => ({ wakeupsPerJob: Number(value) }),
  '--job-handle-prefix': (value) => ({ jobHandlePrefix: value }),
  '--exceptions': () => ({ exceptions: true }),
  '--round-robin': () => ({ order: '2.0' }),
};

function optionsOf(flag: string): JobServerOptions {
  const [name = '', value = ''] = flag.split('=');
  const option = OPTIONS[name];
  if (!option) throw new Error(`no option of our job server means ${flag}`);
  return option(value);
}
