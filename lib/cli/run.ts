import { GearmanError, nearest, oneLine, VERSION } from '../ground/index.js';
import type { Command, Terminal } from './command.js';
import { COMMANDS } from './commands.js';
import { EXIT, Failure, UsageFailure } from './failure.js';

/** Runs a command line and resolves with the exit code. Errors of a person or of the environment are printed without a stack trace. */
export async function runCommandLine(line: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await run(line, terminal);
    return 0;
  } catch (error) {
    if (!(error instanceof Failure || error instanceof GearmanError)) throw error;
    if (error.message !== '') terminal.stderr.write(`nestjs-gearman: ${oneLine(error.message)}\n`);
    return error instanceof Failure ? error.exitCode : EXIT.failed;
  }
}

async function run([name, ...rest]: readonly string[], terminal: Terminal): Promise<void> {
  if (name === '--version' || name === '-V') {
    terminal.stdout.write(`nestjs-gearman ${VERSION}\n`);
    return;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = rest[0] === undefined ? undefined : await commandOf(rest[0]);
    terminal.stdout.write(command ? command.help() : overview());
    return;
  }
  const command = await commandOf(name);
  if (isHelpWanted(rest)) terminal.stdout.write(command.help());
  else await command.run(rest, terminal);
}

async function commandOf(name: string): Promise<Command> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry) return entry.load();
  const meant = nearest(name, Object.keys(COMMANDS));
  throw new UsageFailure(
    `there is no command ${name}${meant ? `; did you mean ${meant}?` : '; see nestjs-gearman --help'}`,
  );
}

/** Whether `--help` stands before any `--`; behind that, it may belong to another command. */
function isHelpWanted(line: readonly string[]): boolean {
  const end = line.indexOf('--');
  return (end < 0 ? line : line.slice(0, end)).includes('--help');
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}\n`);
  return `nestjs-gearman COMMAND [OPTIONS]\n\n${lines.join('')}\nnestjs-gearman COMMAND --help tells the options of a command.\n`;
}
