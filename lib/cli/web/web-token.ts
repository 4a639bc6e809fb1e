import { ROLES, type Role } from '../../web/access/grant.js';
import { newToken } from '../../web/access/token-file.js';
import type { Command } from '../command.js';
import { UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { listed, toggle, valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { oneOf, text } from '../options/values.js';

const OPTIONS = {
  role: valued(
    'What it allows: read (default), inspect (workloads and results too), submit, or operate.',
    oneOf(...ROLES),
    { argument: 'ROLE' },
  ),
  function: listed('Only this function; `*` stands for any text. May be said several times. Default: all.', text, {
    argument: 'PATTERN',
  }),
  help: toggle('Show this page.'),
} as const;

const SUMMARY =
  'Makes a token for job-server --web-tokens: prints its line for that file, and on stderr the token itself,\n' +
  'which is written nowhere: nestjs-gearman web-token ann --role operate >> tokens';

/** `nestjs-gearman web-token NAME`. */
export const webToken: Command = {
  options: OPTIONS,
  help: () =>
    helpText(`nestjs-gearman web-token [OPTIONS] NAME\n\n${SUMMARY}`, [{ title: 'Options', options: OPTIONS }]),
  async run(line, { stdout, stderr }) {
    const { values, words } = parseOptions(OPTIONS, line);
    const [name, ...rest] = words;
    if (name === undefined || rest.length > 0) throw new UsageFailure('which name? nestjs-gearman web-token NAME');
    if (!/^[^\s#]\S*$/.test(name))
      throw new UsageFailure('NAME must be a word without white space that does not begin with #');
    const wrong = values.function.find((pattern) => /[\s,]/.test(pattern));
    if (wrong !== undefined) throw new UsageFailure(`--function ${wrong} may have no white space and no comma`);
    const made = newToken(name, (values.role ?? 'read') as Role, values.function);
    stdout.write(`${made.line}\n`);
    stderr.write(`${made.token}\n`);
  },
};
