import { buffer } from 'node:stream/consumers';
import { oneLine } from '../../ground/index.js';
import { JobClient, type JobRequest } from '../../driver/index.js';
import { readText, showText } from '../../protocol/index.js';
import type { Command, Terminal } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle, valued, ValueProblem, type OptionValues } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { duration, oneOf, text } from '../options/values.js';
import { CONNECTION_OPTIONS, connectionSettings } from './connection-options.js';
import { ProgressLines, progressOn, type Progress } from './progress-bar.js';
import { isWatched } from './status-line.js';

const JOB_OPTIONS = {
  background: toggle('Do not wait for the result; print the handle.', 'b'),
  priority: valued('high, normal or low. Default: normal.', oneOf('high', 'normal', 'low'), { argument: 'WORD' }),
  unique: valued('Jobs of a function with the same unique are one job. - for the workload itself.', text, {
    short: 'u',
    argument: 'TEXT',
  }),
  at: valued('Do not run it before this time, such as 2026-12-24T18:00; implies --background.', date, {
    argument: 'TIME',
  }),
  progress: toggle('Write the progress to stderr, also when that is not a terminal.'),
  timeout: valued(
    'How long to wait for the result; then the job is given up. gearmand runs it all the same. Default: for ever.',
    duration,
    { short: 't', argument: 'TIME' },
  ),
  help: toggle('Show this page.'),
} as const;

const OPTIONS = { ...CONNECTION_OPTIONS, ...JOB_OPTIONS };

const SUMMARY = 'Submits a job and prints its result; the workload is the second word, or stdin.';

/** `nestjs-gearman submit FUNCTION [WORKLOAD]`. */
export const submit: Command = {
  options: OPTIONS,
  help: () =>
    helpText(
      `nestjs-gearman submit [OPTIONS] FUNCTION [WORKLOAD]\n\n${SUMMARY} The exit code is 0 when the job is complete, 1 when it failed.`,
      [
        { title: 'Job', options: JOB_OPTIONS },
        { title: 'Job servers', options: CONNECTION_OPTIONS },
      ],
      "Examples:\n  nestjs-gearman submit reverse 'Hello world!'\n  nestjs-gearman submit --background thumbnail < photo.jpg",
    ),
  async run(line, terminal) {
    const { values, words } = parseOptions(OPTIONS, line);
    const [name, argument, ...rest] = words;
    if (name === undefined) throw new UsageFailure("which function? nestjs-gearman submit reverse 'Hello world!'");
    if (rest.length > 0) throw new UsageFailure(`one workload at a time; quote it: '${[argument, ...rest].join(' ')}'`);
    const workload = argument === undefined ? await buffer(terminal.stdin) : Buffer.from(argument);
    const client = new JobClient(connectionSettings(values));
    try {
      const request = requestOf(readText(name), workload, values);
      if (values.background || request.at)
        terminal.stdout.write(`${showText((await client.submitBackground(request)).handle)}\n`);
      else await foreground(client, request, values, terminal, await progressFor(values, terminal));
    } finally {
      await client.close();
    }
  },
};

type JobValues = OptionValues<typeof JOB_OPTIONS>;

function requestOf(name: string, workload: Buffer, { unique, priority, at }: JobValues): JobRequest {
  return {
    function: name,
    workload,
    ...(unique !== undefined && { unique }),
    ...(priority !== undefined && { priority }),
    ...(at !== undefined && { at }),
  };
}

/** A bar if a person looks at the terminal, lines if they were asked for. */
async function progressFor({ progress }: JobValues, terminal: Terminal): Promise<Progress | undefined> {
  if (isWatched(terminal)) return progressOn(terminal.stderr);
  return progress ? new ProgressLines(terminal.stderr) : undefined;
}

/** Prints parts as they come. Resolves when the job has ended; fails with its failure, the timeout, or Ctrl-C. */
function foreground(
  client: JobClient,
  request: JobRequest,
  values: JobValues,
  terminal: Terminal,
  progress: Progress | undefined,
): Promise<void> {
  const { stdout, stderr, signal } = terminal;
  return new Promise((resolve, reject) => {
    const stop = (message: string): void => {
      submission.forget();
      settle(new Failure(message));
    };
    const timer =
      values.timeout && setTimeout(() => stop('no result within --timeout; the job is given up'), values.timeout);
    const interrupt = (): void => stop('interrupted; the job is given up');
    const settle = (error?: Error): void => {
      progress?.end();
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupt);
      if (error) reject(error);
      else resolve();
    };
    const print = (what: () => void): void => (progress ? progress.aside(what) : what());
    const submission = client.submit(request, {
      data: (bytes) => print(() => stdout.write(bytes)),
      // A worker's text must not control a terminal; a file or a program gets the exact bytes.
      warning: (bytes) => print(() => stderr.write(isWatched(terminal) ? harmless(bytes) : bytes)),
      status: (numerator, denominator) => progress?.status(numerator, denominator),
      complete: (result) => {
        print(() => stdout.write(result));
        settle();
      },
      fail: (error) => settle(new Failure(error.message, undefined, { cause: error })),
    });
    signal.addEventListener('abort', interrupt);
  });
}

/** The lines of a text, with everything escaped that could control a terminal. */
function harmless(bytes: Buffer): string {
  return bytes.toString('utf8').split('\n').map(oneLine).join('\n');
}

function date(value: string): Date {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) throw new ValueProblem('a time as 2026-12-24T18:00 or 2026-12-24T17:00Z');
  return time;
}
