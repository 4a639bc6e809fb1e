import type { Option, OptionTable } from './option.js';

/** A group of options in the help, with its title. */
export interface OptionGroup {
  readonly title: string;
  readonly options: OptionTable;
}

const INDENT = 2;
/** The column in which explanations begin. */
const COLUMN = 30;

/** A help page: what the command does, how it is called, its options by group, and further notes. */
export function helpText(intro: string, groups: readonly OptionGroup[], outro = '', width = 96): string {
  const parts = [intro.trim(), ...groups.map((group) => groupText(group, width)), outro.trim()];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function groupText({ title, options }: OptionGroup, width: number): string {
  const lines = Object.entries(options)
    .filter(([, { help }]) => help !== '')
    .flatMap(([name, option]) => optionLines(name, option, width));
  return [`${title}:`, ...lines].join('\n');
}

function optionLines(name: string, option: Option, width: number): string[] {
  const short = option.short ? `-${option.short}, ` : '    ';
  const long = `--${name}${option.kind === 'value' ? ` ${option.argument}` : ''}`;
  const label = ' '.repeat(INDENT) + short + long;
  const [first = '', ...rest] = wrap(option.help, width - COLUMN);
  const pad = ' '.repeat(COLUMN);
  const more = rest.map((line) => pad + line);
  return label.length < COLUMN ? [label.padEnd(COLUMN) + first, ...more] : [label, pad + first, ...more];
}

/** Breaks a text between words into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
