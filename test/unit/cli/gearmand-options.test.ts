import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { jobServerHelp } from '../../../lib/cli/job-server/help.js';
import { OPTIONS } from '../../../lib/cli/job-server/options.js';
import type { OptionTable } from '../../../lib/cli/options/option.js';
import { C_GEARMAND } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';

describeWith('gearmand', 'the options of gearmand', () => {
  const help = execFileSync(C_GEARMAND, ['--help']).toString();
  const options = [...help.matchAll(/^ {2}(?:-(\w) \[ )?--([\w-]+)(?: \])?( arg)?/gm)].map(
    ([, short, name, argument]) => ({ name: name!, short, kind: argument ? 'value' : 'switch' }),
  );

  it.each(options)('--$name -$short ($kind) is understood', ({ name, short, kind }) => {
    expect((OPTIONS as OptionTable)[name]).toMatchObject(short === undefined ? { kind } : { kind, short });
  });

  it('are all read from its help', () => {
    expect(options.length).toBeGreaterThan(40);
  });
});

it('the help names every option that means something, in lines that fit a terminal', () => {
  const help = jobServerHelp();
  for (const [name, { help: text }] of Object.entries(OPTIONS)) if (text !== '') expect(help).toContain(`--${name}`);
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});
