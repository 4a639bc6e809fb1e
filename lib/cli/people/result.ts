import { JobClient } from '../../driver/index.js';
import { readText } from '../../protocol/index.js';
import type { Command } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { CONNECTION_OPTIONS, connectionSettings } from './connection-options.js';

const OPTIONS = { ...CONNECTION_OPTIONS, help: toggle('Show this page.') } as const;

const SUMMARY =
  'Prints the result of a background job, where the job server keeps results (job-server --keep-results).\n' +
  'The exit code is 0 when the job is complete, 1 when it failed, has not ended, or nothing is kept of it.';

/** `nestjs-gearman result HANDLE`. */
export const result: Command = {
  options: OPTIONS,
  help: () =>
    helpText(`nestjs-gearman result [OPTIONS] HANDLE\n\n${SUMMARY}`, [{ title: 'Options', options: OPTIONS }]),
  async run(line, { stdout }) {
    const { values, words } = parseOptions(OPTIONS, line);
    const [handle, ...rest] = words;
    if (handle === undefined) throw new UsageFailure('of which job? nestjs-gearman result HANDLE');
    if (rest.length > 0) throw new UsageFailure(`one job at a time, not ${rest.join(' ')} as well`);
    const settings = connectionSettings(values);
    if (settings.servers.length > 1) throw new UsageFailure('name one --server: the one that has the job');
    const client = new JobClient(settings);
    try {
      const { state, bytes } = await client.result({ handle: readText(handle), server: client.servers[0]! });
      if (state !== 'complete') throw new Failure(problemOf(handle, state, bytes));
      stdout.write(bytes!);
    } finally {
      await client.close();
    }
  },
};

function problemOf(handle: string, state: string, bytes: Buffer | undefined): string {
  if (state === 'failed') return `${handle} failed${bytes?.length ? `: ${bytes.toString('utf8')}` : ''}`;
  if (state === 'unknown') return `nothing is known of ${handle}: it was never here, or its result is no longer kept`;
  return `${handle} is ${state}: it has not ended`;
}
