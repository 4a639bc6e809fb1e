import { pipeThrough } from './processes.js';

/** The outcome of a program. */
export interface Ended {
  /** Its exit code; null if it was killed, as it is after five minutes. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a program runs, its environment in addition to the test's own, and its stdin. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** Runs a program to its end. A failing program is no error here; one that cannot be started is. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, input }: RunOptions = {},
): Promise<Ended> {
  const options = { cwd, env: { ...ownEnvironment(), ...env }, patience: 300_000 };
  const { code, stdout, stderr } = await pipeThrough(command, args, input, options);
  return { code, stdout: stdout.toString(), stderr };
}

/** {@link run}, for a program that must succeed. */
export async function mustSucceed(command: string, args: readonly string[], options?: RunOptions): Promise<Ended> {
  const ended = await run(command, args, options);
  if (ended.code === 0) return ended;
  throw new Error(`${command} ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`);
}

/** The environment without what `npm run` and Jest add, which an npm that the test starts would use. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const added = /^(npm_(package|lifecycle|command|config_local_prefix)|INIT_CWD$|NODE_ENV$|JEST_WORKER_ID$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !added.test(name)));
}
