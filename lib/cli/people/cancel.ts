import { AdminClient } from '../../driver/index.js';
import { readText, showText } from '../../protocol/index.js';
import type { Command } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { adminSettings, CONNECTION_OPTIONS, connectionSettings } from './connection-options.js';

const OPTIONS = { ...CONNECTION_OPTIONS, help: toggle('Show this page.') } as const;

const SUMMARY = 'Cancels jobs that wait: their clients hear that they failed. Running jobs are not stopped.';

/** `nestjs-gearman cancel HANDLE...`. */
export const cancel: Command = {
  options: OPTIONS,
  help: () =>
    helpText(`nestjs-gearman cancel [OPTIONS] HANDLE...\n\n${SUMMARY}`, [{ title: 'Options', options: OPTIONS }]),
  async run(line, { stdout }) {
    const { values, words } = parseOptions(OPTIONS, line);
    const handles = words.map(readText);
    if (words.length === 0)
      throw new UsageFailure('which job? nestjs-gearman cancel HANDLE; `nestjs-gearman jobs` lists them');
    const settings = connectionSettings(values);
    const found = new Set<string>();
    for (const server of settings.servers) {
      const admin = new AdminClient(adminSettings(server, settings));
      try {
        for (const handle of handles) if (await admin.cancelJob(handle)) found.add(handle);
      } finally {
        await admin.close();
      }
    }
    for (const handle of found) stdout.write(`cancelled ${showText(handle)}\n`);
    const missing = handles.filter((handle) => !found.has(handle)).map(showText);
    if (missing.length > 0) throw new Failure(`no such job: ${missing.join(', ')}; it may have ended`);
  },
};
