import { setTimeout as wait } from 'node:timers/promises';
import { oneLine } from '../../ground/index.js';
import { AdminClient } from '../../driver/index.js';
import type { Command, Terminal } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle, valued, type OptionValues } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { duration } from '../options/values.js';
import {
  adminSettings,
  CONNECTION_OPTIONS,
  connectionSettings,
  type ConnectionSettings,
} from './connection-options.js';
import { jsonLine } from './json.js';
import { table, type Column } from './table.js';

/** The options of all commands that list something. */
export const LISTING_OPTIONS = {
  json: toggle('Print JSON, for programs.'),
  watch: valued('Print again each time this has passed, until Ctrl-C.', duration, { short: 'w', argument: 'TIME' }),
  help: toggle('Show this page.'),
} as const;

const OPTIONS = { ...CONNECTION_OPTIONS, ...LISTING_OPTIONS };

/** Clears the screen and moves to its top; `--watch` prints it before each round on a terminal. */
const CLEAR = '\u001b[2J\u001b[H';

/** What a command lists: rows of a job server, in columns. */
export interface Listing<Row> {
  readonly name: string;
  readonly summary: string;
  readonly columns: readonly Column<Row>[];
  rows(admin: AdminClient): Promise<Row[]>;
}

type Answer<Row> = { server: string } & ({ rows: Row[] } | { error: string });

/**
 * Makes a command that prints a list for each job server, in aligned columns for
 * people or as JSON. If a job server cannot be reached, that is written to stderr
 * and the exit code is 1; the others are listed all the same.
 */
export function listingCommand<Row extends object>(listing: Listing<Row>): Command {
  return {
    options: OPTIONS,
    help: () =>
      helpText(`nestjs-gearman ${listing.name} [OPTIONS]\n\n${listing.summary}`, [
        { title: 'Job servers', options: CONNECTION_OPTIONS },
        { title: 'Output', options: LISTING_OPTIONS },
      ]),
    async run(line, terminal) {
      const { values, words } = parseOptions(OPTIONS, line);
      if (words.length > 0) throw new UsageFailure(`${listing.name} takes no words, only options: ${words.join(' ')}`);
      await printListing(listing, connectionSettings(values), values, terminal);
    },
  };
}

/** Prints a list for each job server; with `watch` again and again. */
export async function printListing<Row extends object>(
  listing: Pick<Listing<Row>, 'columns' | 'rows'>,
  settings: ConnectionSettings,
  { json, watch }: Pick<OptionValues<typeof LISTING_OPTIONS>, 'json' | 'watch'>,
  terminal: Terminal,
): Promise<void> {
  for (;;) {
    const answers = await Promise.all(settings.servers.map((server) => ask(listing, server, settings)));
    if (watch !== undefined && isScreen(terminal)) terminal.stdout.write(CLEAR);
    print(listing, answers, json, terminal);
    if (watch === undefined) return failIfAny(answers);
    await wait(watch, undefined, { signal: terminal.signal }).catch(() => undefined);
    if (terminal.signal.aborted) return;
  }
}

async function ask<Row>(
  listing: Pick<Listing<Row>, 'rows'>,
  server: string,
  settings: ConnectionSettings,
): Promise<Answer<Row>> {
  const admin = new AdminClient(adminSettings(server, settings));
  try {
    return { server, rows: await listing.rows(admin) };
  } catch (error) {
    return { server, error: (error as Error).message };
  } finally {
    await admin.close();
  }
}

function print<Row extends object>(
  { columns }: Pick<Listing<Row>, 'columns'>,
  answers: readonly Answer<Row>[],
  isJson: boolean,
  { stdout, stderr }: Terminal,
): void {
  for (const answer of answers) if ('error' in answer) stderr.write(`${oneLine(answer.error)}\n`);
  if (answers.every((answer) => 'error' in answer)) return;
  const rows = answers.flatMap((answer) =>
    'rows' in answer ? answer.rows.map((row) => ({ ...row, server: answer.server })) : [],
  );
  if (isJson) {
    stdout.write(jsonLine(rows));
    return;
  }
  const serverColumn = { title: 'SERVER', cell: ({ server }: { server: string }) => server };
  stdout.write(table<Row & { server: string }>(answers.length > 1 ? [serverColumn, ...columns] : columns, rows));
}

function failIfAny(answers: readonly Answer<unknown>[]): void {
  const missing = answers.filter((answer) => 'error' in answer).length;
  if (missing === 0) return;
  throw new Failure(answers.length === 1 ? '' : `${missing} of ${answers.length} job servers did not answer`);
}

function isScreen({ stdout }: Terminal): boolean {
  return 'isTTY' in stdout && stdout.isTTY === true;
}
