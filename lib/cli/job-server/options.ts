import { parseOptions } from '../options/parse-options.js';
import type { OptionTable, OptionValues } from '../options/option.js';
import type { OptionGroup } from '../options/help-text.js';
import { UsageFailure } from '../failure.js';
import { JOBS, LISTENING, PROCESS, TLS, WITHOUT_MEANING } from './gearmand-options.js';
import { LIMITS, QUEUE, RECURRING, SEEN, WEB } from './own-options.js';
import { QUEUE_PLUGINS } from './queue-plugins.js';

/** All options of `nestjs-gearman job-server`. */
export const OPTIONS = {
  ...LISTENING,
  ...TLS,
  ...JOBS,
  ...QUEUE,
  ...LIMITS,
  ...RECURRING,
  ...SEEN,
  ...WEB,
  ...PROCESS,
  ...WITHOUT_MEANING,
  ...QUEUE_PLUGINS,
} as const satisfies OptionTable;

/** The same options in the groups of the help page. */
export const OPTION_GROUPS: readonly OptionGroup[] = [
  { title: 'Where it listens', options: LISTENING },
  { title: 'TLS', options: TLS },
  { title: 'Jobs', options: JOBS },
  { title: 'What survives a restart', options: QUEUE },
  { title: 'Recurring jobs', options: RECURRING },
  { title: 'Limits and permissions', options: LIMITS },
  { title: 'What it tells about itself', options: SEEN },
  { title: 'HTTP', options: WEB },
  { title: 'The process', options: PROCESS },
];

/** The values given for {@link OPTIONS}. */
export type JobServerValues = OptionValues<typeof OPTIONS>;

/** Reads the command line. @throws UsageFailure */
export function parseJobServerLine(line: readonly string[]): JobServerValues {
  const { values, words } = parseOptions(OPTIONS, line);
  const [word] = words;
  if (word === undefined) return values;
  throw new UsageFailure(`${JSON.stringify(word)} is no option of the job server; options begin with --`);
}

/** The values of the command line, and for all other options those of the file. */
export function mergeValues(line: JobServerValues, file: JobServerValues): JobServerValues {
  const given = Object.entries(line).filter(([name, value]) => isGiven(name as keyof JobServerValues, value));
  return { ...file, ...Object.fromEntries(given) };
}

function isGiven(name: keyof JobServerValues, value: unknown): boolean {
  if (OPTIONS[name].kind === 'value') return Array.isArray(value) ? value.length > 0 : value !== undefined;
  return Boolean(value);
}
