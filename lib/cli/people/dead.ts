import { AdminClient, type DeadJob } from '../../driver/index.js';
import { readText, showText } from '../../protocol/index.js';
import type { Command, Terminal } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle, valued, type OptionValues } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { text, whole } from '../options/values.js';
import {
  adminSettings,
  CONNECTION_OPTIONS,
  connectionSettings,
  type ConnectionSettings,
} from './connection-options.js';
import { MAX_PREVIEW_BYTES, showDeadLetters } from './dead-show.js';
import { LISTING_OPTIONS, printListing } from './listing.js';
import { jsonLine } from './json.js';
import type { Column } from './table.js';

const CHOICE = {
  function: valued('Only those of this function; with replay and purge, all of them.', text, {
    short: 'f',
    argument: 'NAME',
  }),
  all: toggle('Replay or purge all that are listed.'),
} as const;

const PREVIEW = {
  preview: valued(
    `With show: how many bytes of the workload; at most ${MAX_PREVIEW_BYTES}. Default 256.`,
    whole(0, MAX_PREVIEW_BYTES),
    { argument: 'BYTES' },
  ),
  hex: toggle('With show: the workload as hexadecimal numbers, rather than as escaped text.'),
} as const;

const OPTIONS = { ...CONNECTION_OPTIONS, ...CHOICE, ...PREVIEW, ...LISTING_OPTIONS };

type DeadValues = OptionValues<typeof OPTIONS>;

const INTRO = `
nestjs-gearman dead [list] [OPTIONS]
nestjs-gearman dead show HANDLE... [OPTIONS]
nestjs-gearman dead replay HANDLE... [OPTIONS]
nestjs-gearman dead purge HANDLE... [OPTIONS]

Lists the dead letters: background jobs that are out of retries (job-server --policy). \`show\` tells
all of one, and how its workload begins. Replayed they wait again, with all their retries; purged
they are gone.
`;

/** The actions on dead letters, and the words for each. */
const ACTIONS = {
  replay: { done: 'replayed', act: (admin: AdminClient, handle: string) => admin.replayJob(handle) },
  purge: { done: 'purged', act: (admin: AdminClient, handle: string) => admin.purgeJob(handle) },
} as const;

type Action = (typeof ACTIONS)[keyof typeof ACTIONS];

/** How many dead letters are requested before the first answer. */
const BATCH = 100;

/** `nestjs-gearman dead`. */
export const dead: Command = {
  options: OPTIONS,
  help: () =>
    helpText(INTRO, [
      { title: 'Which', options: CHOICE },
      { title: 'Show', options: PREVIEW },
      { title: 'Job servers', options: CONNECTION_OPTIONS },
      { title: 'Output', options: LISTING_OPTIONS },
    ]),
  async run(line, terminal) {
    const { values, words } = parseOptions(OPTIONS, line);
    const [word = 'list', ...shownHandles] = words;
    const handles = shownHandles.map(readText);
    if (word === 'list') return list(handles, values, terminal);
    if (word !== 'show' && !Object.hasOwn(ACTIONS, word))
      throw new UsageFailure(`dead is followed by list, show, replay or purge, not by ${word}`);
    if (word === 'show') return show(handles, values, terminal);
    checkChoice(word, handles, values);
    await actOn(ACTIONS[word as keyof typeof ACTIONS], handles, values, terminal);
  },
};

function list(words: readonly string[], values: DeadValues, terminal: Terminal): Promise<void> {
  if (words.length > 0) throw new UsageFailure(`dead list takes no words, only options: ${words.join(' ')}`);
  if (values.all) throw new UsageFailure('--all is for replay and purge: the list has all anyway');
  const rows = (admin: AdminClient): Promise<DeadJob[]> => chosen(admin, values.function);
  return printListing({ columns: COLUMNS, rows }, connectionSettings(values), values, terminal);
}

function show(handles: readonly string[], values: DeadValues, terminal: Terminal): Promise<void> {
  if (values.all || values.function !== undefined || values.watch !== undefined) {
    throw new UsageFailure('dead show takes handles; --all, --function and --watch are for the others');
  }
  if (handles.length === 0) throw new UsageFailure('which dead letter? nestjs-gearman dead show HANDLE');
  return showDeadLetters(handles, connectionSettings(values), values, terminal);
}

async function chosen(admin: AdminClient, name: string | undefined): Promise<DeadJob[]> {
  const jobs = await admin.deadJobs();
  return name === undefined ? jobs : jobs.filter((job) => job.function === readText(name));
}

const COLUMNS: readonly Column<DeadJob>[] = [
  { title: 'HANDLE', cell: (row) => row.handle },
  { title: 'FUNCTION', cell: (row) => row.function },
  { title: 'RETRIES', cell: (row) => row.attempts },
  { title: 'LOST WORKERS', cell: (row) => row.losses },
  { title: 'DIED', cell: (row) => row.diedAt.toISOString() },
  { title: 'ERROR', cell: (row) => onOneLine(row.error) },
];

const ERROR_WIDTH = 80;

/** A worker's text for a terminal: without control characters, and cut. The JSON has the whole text. */
function onOneLine(error: string): string {
  const line = [...error.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()];
  return line.length > ERROR_WIDTH ? `${line.slice(0, ERROR_WIDTH - 1).join('')}…` : line.join('');
}

function checkChoice(word: string, handles: readonly string[], { all, function: name, watch }: DeadValues): void {
  const isBulk = all || name !== undefined;
  if (watch !== undefined) throw new UsageFailure(`--watch is for the list, not for dead ${word}`);
  if (isBulk && handles.length > 0) throw new UsageFailure('name handles, or say --all or --function NAME: not both');
  if (isBulk || handles.length > 0) return;
  throw new UsageFailure(`which dead letter? nestjs-gearman dead ${word} HANDLE, or --all, or --function NAME`);
}

async function actOn(
  action: Action,
  handles: readonly string[],
  values: DeadValues,
  { stdout }: Terminal,
): Promise<void> {
  const settings = connectionSettings(values);
  const done: { handle: string; server: string }[] = [];
  const missing = new Set(handles);
  try {
    for (const server of settings.servers) {
      for await (const [handle, isDone] of actAt(server, action, handles, values.function, settings)) {
        if (isDone) done.push({ handle, server });
        if (isDone) missing.delete(handle);
        else if (handles.length === 0) missing.add(handle);
        if (isDone && !values.json) stdout.write(`${action.done} ${showText(handle)}\n`);
      }
    }
  } finally {
    if (values.json) stdout.write(jsonLine(done));
  }
  if (missing.size > 0)
    throw new Failure(`not ${action.done}: ${[...missing].map(showText).join(', ')}; ${reasonOf(action)}`);
}

function reasonOf(action: Action): string {
  const reason = 'no such dead letter';
  return action === ACTIONS.replay ? `${reason}, or a job with its unique waits or runs` : reason;
}

/** Acts on these handles at a job server, on all dead letters of a function, or on all; yields for each whether it was done. */
async function* actAt(
  server: string,
  { act }: Action,
  handles: readonly string[],
  name: string | undefined,
  settings: ConnectionSettings,
): AsyncIterable<[handle: string, isDone: boolean]> {
  const admin = new AdminClient(adminSettings(server, settings));
  try {
    const targets = handles.length > 0 ? handles : (await chosen(admin, name)).map(({ handle }) => handle);
    for (let start = 0; start < targets.length; start += BATCH) {
      const batch = targets.slice(start, start + BATCH);
      yield* await Promise.all(batch.map(async (handle) => [handle, await act(admin, handle)] as [string, boolean]));
    }
  } finally {
    await admin.close();
  }
}
