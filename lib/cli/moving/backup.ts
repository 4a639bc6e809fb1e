import type { Command } from '../command.js';
import { UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { text } from '../options/values.js';
import { beside, BESIDE_OPTIONS } from './beside.js';

const OPTIONS = {
  ...BESIDE_OPTIONS,
  to: valued('The copy’s folder, which must not exist.', text, { argument: 'DIR' }),
} as const;

const INTRO = `nestjs-gearman backup --queue-path DIR --to DIR

Copies the folder of a job server, as it is at one moment, while the job server runs. Another job
server can be started on the copy: stop the first one before, or jobs run twice.`;

/** `nestjs-gearman backup`. */
export const backup: Command = {
  options: OPTIONS,
  help: () => helpText(INTRO, [{ title: 'Options', options: OPTIONS }]),
  async run(line, { stdout }) {
    const { values, words } = parseOptions(OPTIONS, line);
    const { to } = values;
    if (to === undefined || words.length > 0) throw new UsageFailure('where to? nestjs-gearman backup --to DIR');
    await beside(values, (jobs) => jobs.copy(to));
    stdout.write(`copied to ${to}\n`);
  },
};
