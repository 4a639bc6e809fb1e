import { setTimeout as wait } from 'node:timers/promises';
import { oneLine } from '../../ground/index.js';
import { AdminClient } from '../../driver/index.js';
import type { Command, Terminal } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle, valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { duration } from '../options/values.js';
import { adminSettings, CONNECTION_OPTIONS, connectionSettings } from '../people/connection-options.js';
import { jsonLine } from '../people/json.js';
import { table, type Column } from '../people/table.js';
import { shownAge, shownRate } from './numbers.js';
import { unread, withProblem, withReading, type Watched } from './readings.js';
import { rowsOf, sorted, type Row } from './rows.js';
import { Screen } from './screen.js';
import { readFrom, TopSession, type AdminClients } from './session.js';

const TOP_OPTIONS = {
  interval: valued('How often the job servers are asked. Default: 2s.', duration, { short: 'i', argument: 'TIME' }),
  once: toggle('Print one table and end, as when stdout is not a terminal.'),
  json: toggle('Print that as JSON, for programs.'),
  help: toggle('Show this page.'),
} as const;

const OPTIONS = { ...CONNECTION_OPTIONS, ...TOP_OPTIONS };

const INTRO = `
nestjs-gearman top [OPTIONS]

Watches functions on the whole screen, what is in trouble first: jobs without workers, stalled,
paused, failing and full functions; their ages, and how many jobs come and are done a second.
Keys sort, search, pause a function and open one; ? shows them. Any job server will do, and what
it does not tell is blank: gearmand tells no ages and rates.
`;

/** The shortest time between two questions, in milliseconds. */
const MIN_INTERVAL = 200;
const DEFAULT_INTERVAL = 2_000;

/** The interval between the two readings of a single table, in milliseconds. */
const ONCE_INTERVAL = 1_000;

/** `nestjs-gearman top`. */
export const top: Command = {
  options: OPTIONS,
  help: () =>
    helpText(INTRO, [
      { title: 'Job servers', options: CONNECTION_OPTIONS },
      { title: 'Output', options: TOP_OPTIONS },
    ]),
  async run(line, terminal) {
    const { values, words } = parseOptions(OPTIONS, line);
    if (words.length > 0) throw new UsageFailure(`top takes no words, only options: ${words.join(' ')}`);
    const { interval, once, json } = values;
    if (interval !== undefined && interval < MIN_INTERVAL) {
      throw new UsageFailure(`--interval is ${MIN_INTERVAL}ms or longer`);
    }
    const settings = connectionSettings(values);
    const admins = new Map(
      settings.servers.map((server) => [server, new AdminClient(adminSettings(server, settings))]),
    );
    const screen = once || json ? undefined : Screen.of(terminal);
    try {
      if (screen) await new TopSession(admins, screen, interval ?? DEFAULT_INTERVAL).run(terminal.signal);
      else await printOnce(admins, interval ?? ONCE_INTERVAL, json, terminal);
    } finally {
      await Promise.all([...admins.values()].map((admin) => admin.close()));
    }
  },
};

async function printOnce(admins: AdminClients, interval: number, isJson: boolean, terminal: Terminal): Promise<void> {
  const watched = await Promise.all([...admins].map((entry) => readTwice(entry, interval, terminal.signal)));
  const problems = watched.flatMap(({ problem }) => problem ?? []);
  for (const problem of problems) terminal.stderr.write(`${oneLine(problem)}\n`);
  if (problems.length < watched.length) {
    const rows = sorted(rowsOf(watched), 'trouble', false);
    terminal.stdout.write(isJson ? jsonLine(rows.map(forPrograms)) : table(plainColumns(watched.length), rows));
  }
  if (problems.length === 0) return;
  throw new Failure(watched.length === 1 ? '' : `${problems.length} of ${watched.length} job servers did not answer`);
}

/** Reads twice, because rates need two readings; once if the job server has no counters. */
async function readTwice(
  [server, admin]: [string, AdminClient],
  interval: number,
  signal: AbortSignal,
): Promise<Watched> {
  const before = unread(server);
  try {
    const first = withReading(before, await readFrom(admin));
    if (!first.readings[0]?.activity || signal.aborted) return first;
    await wait(interval, undefined, { signal }).catch(() => undefined);
    return withReading(first, await readFrom(admin));
  } catch (error) {
    return withProblem(before, (error as Error).message);
  }
}

/** A row for programs, without the escaped name: JSON escapes names in its own way. */
function forPrograms({ name: _, ...row }: Row): object {
  return row;
}

function plainColumns(serverCount: number): readonly Column<Row>[] {
  const columns: readonly Column<Row>[] = [
    { title: 'FUNCTION', cell: (row) => row.function },
    { title: 'TROUBLE', cell: ({ trouble }) => trouble ?? '-' },
    { title: 'WAITING', cell: ({ waiting }) => waiting },
    { title: 'RUNNING', cell: ({ running }) => running },
    { title: 'WORKERS', cell: ({ workers }) => workers },
    { title: 'OLDEST', isRight: true, cell: ({ oldest }) => shownAge(oldest) || '-' },
    { title: 'IN/S', isRight: true, cell: (row) => shownRate(row.in) || '-' },
    { title: 'DONE/S', isRight: true, cell: ({ done }) => shownRate(done) || '-' },
    { title: 'FAILED/S', isRight: true, cell: ({ failed }) => shownRate(failed) || '-' },
    { title: 'DELAYED', isRight: true, cell: ({ delayed }) => delayed ?? '-' },
    { title: 'LONGEST', isRight: true, cell: ({ longest }) => shownAge(longest) || '-' },
  ];
  return serverCount > 1 ? [{ title: 'SERVER', cell: ({ server }) => server }, ...columns] : columns;
}
