import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { jobServerHelp } from '../../../lib/cli/job-server/help.js';
import { OPTIONS } from '../../../lib/cli/job-server/options.js';
import type { OptionTable } from '../../../lib/cli/options/option.js';
import { C_GEARMAND } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';

/** The options in gearmand's own help: `-p [ --port ] arg` or `--exceptions`. */
function gearmandOptions() {
  const help = execFileSync(C_GEARMAND, ['--help']).toString();
  return [...help.matchAll(/^ {2}(?:-(\w) \[ )?--([\w-]+)(?: \])?( arg)?/gm)].map(([, short, name, argument]) => ({
    name: name!,
    short,
    kind: argument ? 'value' : 'switch',
  }));
}

describeWith('gearmand', 'the options of gearmand', () => {
  it('are all understood, by name and letter, with a value or without', () => {
    const options = gearmandOptions();
    expect(options.length).toBeGreaterThan(40);
    const ours = options.map(({ name, short }) => {
      const option = (OPTIONS as OptionTable)[name];
      // One letter more than gearmand has does no harm.
      return { name, short: short === undefined ? undefined : option?.short, kind: option?.kind };
    });
    expect(ours).toEqual(options);
  });
});

it('the help names every option that means something, in lines that fit a terminal', () => {
  const help = jobServerHelp();
  for (const [name, { help: text }] of Object.entries(OPTIONS)) if (text !== '') expect(help).toContain(`--${name}`);
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});
