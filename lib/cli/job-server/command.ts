import { VERSION } from '../../ground/index.js';
import type { Command, Terminal } from '../command.js';
import { EXIT, Failure, UsageFailure } from '../failure.js';
import { nextTicksOf } from './crontab-file.js';
import { readConfigFile } from './config-file.js';
import { Daemon, startDaemon } from './daemon.js';
import { jobServerHelp } from './help.js';
import { mergeValues, OPTIONS, parseJobServerLine } from './options.js';
import { checkSettings, serve } from './serve.js';
import { settingsFrom } from './settings.js';

/** `nestjs-gearman job-server`: runs a job server until it is told to end. */
export const jobServer: Command = {
  options: OPTIONS,
  help: jobServerHelp,
  async run(line, terminal) {
    const daemon = Daemon.ofThisProcess();
    try {
      const exitCode = await run(line, daemon, terminal);
      if (exitCode !== 0) throw new Failure('', exitCode);
    } catch (error) {
      const failure = asGearmand(error);
      daemon?.failed(failure);
      throw failure;
    }
  },
};

/** Changes the exit code for a command line that was not understood to gearmand's 1, which service managers and scripts know. */
function asGearmand(error: unknown): unknown {
  if (!(error instanceof UsageFailure)) return error;
  return new Failure(error.message, EXIT.failed, { cause: error });
}

async function run(line: readonly string[], daemon: Daemon | undefined, terminal: Terminal): Promise<number> {
  const given = parseJobServerLine(line);
  if (given.help || given.version) {
    terminal.stdout.write(given.help ? jobServerHelp() : `nestjs-gearman ${VERSION}\n`);
    return 0;
  }
  const file = readConfigFile(given['config-file']);
  const values = file ? mergeValues(given, file.values) : given;
  const settings = await settingsFrom(values, process.env);
  if (file) settings.notes.unshift(`options from ${file.path}`);
  if (values['check-args']) {
    checkSettings(settings);
    if (settings.crontab) terminal.stdout.write(nextTicksOf(settings.crontab.table, Date.now()));
    return 0;
  }
  if (!settings.isDaemon || daemon) return serve(settings, daemon, terminal);
  // The script that runs now is the command.
  const warnings = await startDaemon(process.argv[1]!, ['job-server', ...line]);
  for (const warning of warnings) terminal.stderr.write(`nestjs-gearman: ${warning}\n`);
  return 0;
}
