import { readFileSync } from 'node:fs';
import { AdminClient, type ScheduleStatus } from '../../driver/index.js';
import { readText, showText } from '../../protocol/index.js';
import type { Command, Terminal } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import type { OptionValues } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import {
  adminSettings,
  CONNECTION_OPTIONS,
  connectionSettings,
  type ConnectionSettings,
} from './connection-options.js';
import { LISTING_OPTIONS, printListing } from './listing.js';
import type { Column } from './table.js';

const OPTIONS = { ...CONNECTION_OPTIONS, ...LISTING_OPTIONS };

type Values = OptionValues<typeof OPTIONS>;

const INTRO = `
nestjs-gearman schedules [list] [OPTIONS]
nestjs-gearman schedules put ID JSON|@FILE [OPTIONS]
nestjs-gearman schedules drop|run|pause|resume ID... [OPTIONS]

Lists recurring jobs: where each comes from, its last tick and its next, and what is wrong. \`put\`
takes a schedule as JSON, or from a file; it stays until it is dropped. \`run\` submits the job now,
beside its ticks. Declared ones (module, decorator, crontab) can be run and paused here, and are
changed where they are declared.

    nestjs-gearman schedules put nightly '{"cron":"0 3 * * *","function":"report"}'
`;

/** The actions on a schedule. Each returns the text for its outcome; undefined if there is no such schedule. */
const ACTIONS: Readonly<Record<string, (admin: AdminClient, id: string) => Promise<string | undefined>>> = {
  drop: async (admin, id) => ((await admin.dropSchedule(id)) ? 'dropped' : undefined),
  pause: async (admin, id) => ((await admin.pauseSchedule(id)) ? 'paused' : undefined),
  resume: async (admin, id) => ((await admin.resumeSchedule(id)) ? 'resumed' : undefined),
  run: async (admin, id) => {
    const handle = await admin.runSchedule(id);
    return handle === undefined ? undefined : `submitted ${showText(handle)} for`;
  },
};

/** `nestjs-gearman schedules`. */
export const schedules: Command = {
  options: OPTIONS,
  help: () =>
    helpText(INTRO, [
      { title: 'Job servers', options: CONNECTION_OPTIONS },
      { title: 'Output', options: LISTING_OPTIONS },
    ]),
  async run(line, terminal) {
    const { values, words } = parseOptions(OPTIONS, line);
    const [word = 'list', ...rest] = words;
    const settings = connectionSettings(values);
    if (word === 'list') return list(rest, settings, values, terminal);
    if (values.watch !== undefined) throw new UsageFailure(`--watch is for the list, not for schedules ${word}`);
    if (word === 'put') return put(rest, settings, terminal);
    const act = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
    if (!act) throw new UsageFailure(`schedules is followed by list, put, drop, run, pause or resume, not by ${word}`);
    if (rest.length === 0) throw new UsageFailure(`which schedule? nestjs-gearman schedules ${word} ID`);
    await eachOf(rest.map(readText), act, settings, terminal);
  },
};

const COLUMNS: readonly Column<ScheduleStatus>[] = [
  { title: 'ID', cell: (row) => row.id },
  { title: 'FUNCTION', cell: (row) => row.options.function },
  { title: 'WHEN', cell: ({ options }) => options.cron ?? `every ${options.every! / 1_000} s` },
  { title: 'ZONE', cell: ({ options }) => options.timeZone ?? '-' },
  { title: 'SOURCE', cell: (row) => row.source },
  { title: 'LAST TICK', cell: (row) => shown(row.lastTick) },
  { title: 'NEXT TICK', cell: (row) => (row.isPaused ? 'paused' : shown(row.nextTick)) },
  { title: 'PROBLEM', cell: (row) => row.problem ?? '' },
];

function shown(tick: Date | undefined): string {
  return tick ? tick.toISOString().replace('.000Z', 'Z') : '-';
}

function list(
  words: readonly string[],
  settings: ConnectionSettings,
  values: Values,
  terminal: Terminal,
): Promise<void> {
  if (words.length > 0) throw new UsageFailure(`schedules list takes no words, only options: ${words.join(' ')}`);
  return printListing({ columns: COLUMNS, rows: (admin) => admin.schedules() }, settings, values, terminal);
}

async function put(words: readonly string[], settings: ConnectionSettings, { stdout }: Terminal): Promise<void> {
  const [id, json, ...more] = words;
  if (id === undefined || json === undefined || more.length > 0) {
    throw new UsageFailure(`nestjs-gearman schedules put ID '{"cron":"0 3 * * *","function":"report"}', or @FILE`);
  }
  const schedule = parsed(json.startsWith('@') ? read(json.slice(1)) : json);
  for (const server of settings.servers) {
    await asking(server, settings, (admin) => admin.putSchedule(readText(id), schedule));
  }
  stdout.write(`put ${id}\n`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`@${file}: ${(error as Error).message}`, undefined, { cause: error });
  }
}

function parsed(json: string): object {
  try {
    const schedule = JSON.parse(json) as unknown;
    if (typeof schedule === 'object' && schedule !== null) return schedule;
  } catch (error) {
    throw new UsageFailure(`the schedule is not JSON: ${(error as Error).message}`);
  }
  throw new UsageFailure('the schedule is not a JSON object');
}

async function eachOf(
  ids: readonly string[],
  act: (admin: AdminClient, id: string) => Promise<string | undefined>,
  settings: ConnectionSettings,
  { stdout }: Terminal,
): Promise<void> {
  const missing = new Set(ids);
  for (const server of settings.servers) {
    await asking(server, settings, async (admin) => {
      for (const id of ids) {
        const done = await act(admin, id);
        if (done === undefined) continue;
        missing.delete(id);
        stdout.write(`${done} ${showText(id)}\n`);
      }
    });
  }
  if (missing.size > 0) throw new Failure(`no such schedule: ${[...missing].map(showText).join(', ')}`);
}

async function asking(
  server: string,
  settings: ConnectionSettings,
  ask: (admin: AdminClient) => Promise<void>,
): Promise<void> {
  const admin = new AdminClient(adminSettings(server, settings));
  try {
    await ask(admin);
  } finally {
    await admin.close();
  }
}
