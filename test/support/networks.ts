import { readlinkSync } from 'node:fs';
import { mustSucceed } from './run.js';
import { startProgram } from './program.js';
import { until } from './until.js';

/** A network of its own, in which programs can be started. */
export interface Network {
  /** The address by which the other network, and it itself, reach it. */
  readonly host: string;
  /** The prefix for a command that runs in it. */
  readonly command: readonly string[];
}

/**
 * Two networks joined by a cable; they are removed when the test file is over. Nobody
 * else is in them or reaches them, except by sockets that are files. Needs the peer
 * `networks of its own`.
 */
export class Networks {
  private constructor(
    readonly near: Network,
    readonly far: Network,
  ) {}

  static async join(): Promise<Networks> {
    const [one, two] = [await openNetwork(), await openNetwork()];
    const near = { host: '10.99.0.1', command: commandIn(one) };
    const far = { host: '10.99.0.2', command: commandIn(two) };
    await runIn(near, 'ip', 'link', 'add', CABLE, 'type', 'veth', 'peer', 'name', CABLE, 'netns', `${two}`);
    for (const network of [near, far]) {
      await runIn(network, 'ip', 'address', 'add', `${network.host}/30`, 'dev', CABLE);
      for (const device of ['lo', CABLE]) await runIn(network, 'ip', 'link', 'set', device, 'up');
    }
    return new Networks(near, far);
  }

  /** Lets nothing pass any more, without telling anybody. */
  async part(): Promise<void> {
    await runIn(this.near, 'ip', 'link', 'set', CABLE, 'down');
  }

  async joinAgain(): Promise<void> {
    await runIn(this.near, 'ip', 'link', 'set', CABLE, 'up');
  }
}

const CABLE = 'cable';

/** Opens a network. It exists as long as a process is in it; returns that process. */
async function openNetwork(): Promise<number> {
  const holder = startProgram('unshare', ['--net', 'sleep', 'infinity']);
  const networkOf = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/net`);
  await until('it has a network of its own', () => {
    holder.mustRun();
    return networkOf(holder.pid) !== networkOf('self');
  });
  return holder.pid;
}

function commandIn(pid: number): string[] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`, '--'];
}

async function runIn({ command }: Network, ...args: readonly string[]): Promise<void> {
  const [program, ...rest] = [...command, ...args];
  await mustSucceed(program!, rest);
}
