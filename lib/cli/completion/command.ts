import type { Command, CommandEntry } from '../command.js';
import { UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { bashScript } from './bash.js';
import { completedCommands, type CompletedCommand } from './completed-command.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';

const OPTIONS = { help: toggle('Show this page.') } as const;

const SCRIPTS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const INTRO = `nestjs-gearman completion SHELL

Prints what bash, zsh or fish needs to complete commands, options and their values.`;

const EXAMPLES = `In ~/.bashrc, in ~/.zshrc behind compinit, in ~/.config/fish/config.fish:
  eval "$(nestjs-gearman completion bash)"
  eval "$(nestjs-gearman completion zsh)"
  nestjs-gearman completion fish | source`;

/** `nestjs-gearman completion SHELL`, for these commands. */
export function completionOf(commands: Readonly<Record<string, CommandEntry>>): Command {
  return {
    options: OPTIONS,
    help: () => helpText(INTRO, [{ title: 'Options', options: OPTIONS }], EXAMPLES),
    async run(line, terminal) {
      const [shell, ...more] = parseOptions(OPTIONS, line).words;
      const script = shell !== undefined && Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
      if (!script || more.length > 0)
        throw new UsageFailure('which shell? nestjs-gearman completion bash, zsh or fish');
      terminal.stdout.write(script(await completedCommands(commands)));
    },
  };
}
