import type { CommandEntry } from '../command.js';
import type { Option } from '../options/option.js';

/** An option, as completions need it. */
export interface CompletedOption {
  readonly long: string;
  readonly short: string | undefined;
  /** What it does, in one line. */
  readonly help: string;
  /** The name of its value in the help; undefined for an option without a value. */
  readonly argument: string | undefined;
  /** All values that are allowed, if they are a few words. */
  readonly words: readonly string[];
}

/** A command, as completions need it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
}

/** All commands, with the options that their help shows. */
export async function completedCommands(
  commands: Readonly<Record<string, CommandEntry>>,
): Promise<readonly CompletedCommand[]> {
  const completed: CompletedCommand[] = [];
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const { options } = await load();
    const shown = Object.entries(options).filter(([, { help }]) => help !== '');
    completed.push({ name, summary, options: shown.map(([long, option]) => completedOption(long, option)) });
  }
  return completed;
}

function completedOption(long: string, option: Option): CompletedOption {
  const { short, help } = option;
  const [sentence = ''] = /^.*?[.;](?= |$)|^.*$/s.exec(help) ?? [];
  return {
    long,
    short,
    help: sentence.replace(/[.;]$/, ''),
    argument: option.kind === 'value' ? option.argument : undefined,
    words: option.kind === 'value' ? (option.parse.words ?? []) : [],
  };
}
