import type { CompletedCommand, CompletedOption } from './completed-command.js';

/** The script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.map(
    ({ name, summary }) => `complete -c nestjs-gearman -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
  );
  const help = `complete -c nestjs-gearman -n '__fish_seen_subcommand_from help' -f -a ${quoted(commands.map(({ name }) => name).join(' '))}`;
  const options = commands.flatMap(({ name, options: own }) => own.map((option) => optionLine(name, option)));
  const head = '# Completions of nestjs-gearman for fish: nestjs-gearman completion fish | source';
  return `${[head, ...lines, help, ...options].join('\n')}\n`;
}

function optionLine(command: string, { long, short, help, argument, words }: CompletedOption): string {
  const names = `-l ${long}${short === undefined ? '' : ` -s ${short}`}`;
  const value = argument === undefined ? '' : words.length > 0 ? ` -x -a ${quoted(words.join(' '))}` : ' -r';
  return `complete -c nestjs-gearman -n '__fish_seen_subcommand_from ${command}' ${names}${value} -d ${quoted(help)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
