import { existsSync, readFileSync } from 'node:fs';
import { Failure, UsageFailure } from '../failure.js';
import { parseJobServerLine, type JobServerValues } from './options.js';

/** The file in which gearmand looks for its options. */
const DEFAULT_CONFIG_FILE = '/etc/gearmand.conf';

/** Options from a file. */
export interface ConfigFile {
  path: string;
  values: JobServerValues;
}

/**
 * Reads a config file as gearmand does: it contains options as on the command
 * line, with any white space between them. Unlike in gearmand, `#` begins a
 * comment, and a word that is no option is refused instead of ignored.
 *
 * @param path the file; if undefined, gearmand's own if it exists.
 * @throws Failure naming the file.
 */
export function readConfigFile(path: string | undefined): ConfigFile | undefined {
  if (path === undefined && !existsSync(DEFAULT_CONFIG_FILE)) return undefined;
  const file = path ?? DEFAULT_CONFIG_FILE;
  return { path: file, values: parse(file, read(file)) };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`the config file cannot be read: ${(error as Error).message}`, undefined, { cause: error });
  }
}

function parse(file: string, content: string): JobServerValues {
  const words = content.replace(/(^|\s)#.*$/gm, '$1').match(/\S+/g) ?? [];
  try {
    return parseJobServerLine(words);
  } catch (error) {
    if (error instanceof UsageFailure) throw new UsageFailure(`config file ${file}: ${error.message}`);
    throw error;
  }
}
