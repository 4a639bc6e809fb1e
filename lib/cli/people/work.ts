import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { oneLine } from '../../ground/index.js';
import { JobWorker, type AssignedJob, type JobHandler } from '../../driver/index.js';
import { readText } from '../../protocol/index.js';
import type { Command } from '../command.js';
import { UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { listed, toggle, valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { duration, text, whole } from '../options/values.js';
import { CONNECTION_OPTIONS, connectionSettings } from './connection-options.js';
import { isWatched } from './status-line.js';
import { WorkTally } from './work-tally.js';

const WORK_OPTIONS = {
  function: listed('A function to do; several times for several.', text, { short: 'f', argument: 'NAME' }),
  jobs: valued('How many jobs run at once. Default: 1.', whole(1), { short: 'j', argument: 'NUMBER' }),
  count: valued('End after so many jobs. Default: never.', whole(1), { short: 'c', argument: 'NUMBER' }),
  timeout: valued('How long a job may run before its command is killed. Default: for ever.', duration, {
    argument: 'TIME',
  }),
  grace: valued('How long running jobs may take to end on Ctrl-C. Default: 10s.', duration, { argument: 'TIME' }),
  id: valued("The worker's name, as `nestjs-gearman workers` shows it.", text, { argument: 'TEXT' }),
  help: toggle('Show this page.'),
} as const;

const OPTIONS = { ...CONNECTION_OPTIONS, ...WORK_OPTIONS };

const SUMMARY = 'Works: runs a command for each job, workload on stdin, result from stdout.';

/** `nestjs-gearman work -f FUNCTION... [-- COMMAND [ARGUMENT...]]`. */
export const work: Command = {
  options: OPTIONS,
  help: () =>
    helpText(
      `nestjs-gearman work [OPTIONS] -f FUNCTION [-- COMMAND [ARGUMENT...]]\n\n${SUMMARY} A command that ends with another exit code than 0 fails its job. Without a command the workload is the result.`,
      [
        { title: 'Work', options: WORK_OPTIONS },
        { title: 'Job servers', options: CONNECTION_OPTIONS },
      ],
      'Examples:\n  nestjs-gearman work -f reverse -- rev\n  nestjs-gearman work -f count -j 4 -- wc -l',
    ),
  async run(line, terminal) {
    const { stderr, signal } = terminal;
    const { values, words } = parseOptions(OPTIONS, line);
    if (values.function.length === 0) throw new UsageFailure('which function? nestjs-gearman work -f reverse -- rev');
    const [command, ...args] = words;
    const tally = isWatched(terminal) ? new WorkTally(stderr) : undefined;
    const print = (text: string | Buffer): void => {
      if (tally) tally.aside(() => stderr.write(text));
      else stderr.write(text);
    };
    const handler = command === undefined ? copy : runner(command, args, print);
    const worker = new JobWorker({
      ...connectionSettings(values),
      concurrency: values.jobs ?? 1,
      ...(values.id !== undefined && { clientId: values.id }),
    });
    const done = limited(tally?.counting(handler) ?? handler, values.count);
    worker.on('error', (error) => print(`${oneLine(error.message)}\n`));
    const timeout = values.timeout === undefined ? {} : { timeout: values.timeout };
    const names = values.function.map(readText);
    for (const name of names) worker.register(name, done.handler, timeout);
    try {
      await worker.start();
      tally?.begin(names);
      if (!signal.aborted) await Promise.race([done.reached, once(signal, 'abort')]);
    } finally {
      await worker.close({ gracePeriod: values.grace ?? 10_000 });
      tally?.end();
    }
  },
};

const copy: JobHandler = (job) => job.workload;

/** A handler that counts its jobs: `reached` resolves when the last wanted job has ended. */
function limited(handler: JobHandler, count = Infinity): { handler: JobHandler; reached: Promise<void> } {
  let left = count;
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const counting: JobHandler = async (job) => {
    try {
      return await handler(job);
    } finally {
      if (--left === 0) reach();
    }
  };
  return { handler: counting, reached };
}

/** A handler that runs a command for each job. */
function runner(command: string, args: readonly string[], tell: (bytes: Buffer) => void): JobHandler {
  return async (job: AssignedJob) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const kill = (): void => void child.kill('SIGKILL');
    job.signal.addEventListener('abort', kill);
    try {
      child.stderr.on('data', tell);
      // The command may end without reading its workload.
      child.stdin.on('error', () => undefined);
      child.stdin.end(job.workload);
      const [result, [code, signal]] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
      if (code !== 0) throw new Error(`${command} ended with ${signal ?? `exit code ${code}`}`);
      return result;
    } finally {
      job.signal.removeEventListener('abort', kill);
    }
  };
}
