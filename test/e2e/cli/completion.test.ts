import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { describeWith } from '../../support/peers.js';
import { tempDir } from '../../support/temp-dir.js';
import { command } from '../../support/terminal.js';

/** The script for a shell, in a file. */
async function scriptFor(shell: string): Promise<string> {
  const file = join(tempDir(), `completion.${shell}`);
  writeFileSync(file, (await command(['completion', shell])).stdout);
  return file;
}

function run(shell: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

describe('nestjs-gearman completion', () => {
  it('says which shells there are', async () => {
    expect(await command(['completion', 'tcsh'])).toMatchObject({
      exitCode: 2,
      stderr: 'nestjs-gearman: which shell? nestjs-gearman completion bash, zsh or fish\n',
    });
  });
});

describe('in bash', () => {
  let script: string;

  beforeAll(async () => {
    script = await scriptFor('bash');
  });

  /** What bash offers for a line whose last word is being written. */
  function offers(...words: string[]): string[] {
    const ask =
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nestjs_gearman; printf "%s\\n" "${COMPREPLY[@]}"';
    return run('bash', '--norc', '-c', ask, 'bash', script, 'nestjs-gearman', ...words)
      .split('\n')
      .filter((line) => line !== '');
  }

  it('commands are offered, also for their help', () => {
    expect(offers('')).toEqual([...Object.keys(COMMANDS), 'help', '--help', '--version']);
    expect(offers('job')).toEqual(['job-server', 'jobs']);
    expect(offers('help', 'su')).toEqual(['submit']);
  });

  it('options of the command are offered, and of no other', () => {
    expect(offers('submit', '--p')).toEqual(expect.arrayContaining(['--priority', '--port', '--progress']));
    expect(offers('submit', '--queue')).toEqual([]);
    expect(offers('job-server', '--queue')).toEqual(['--queue-type', '--queue-path', '--queue-durability']);
  });

  it('words of an option are offered, written with a blank or =', () => {
    expect(offers('submit', '--priority', '')).toEqual(['high', 'normal', 'low']);
    // Bash parts a word at =.
    expect(offers('submit', '--priority', '=')).toEqual(['high', 'normal', 'low']);
    expect(offers('submit', '--priority', '=', 'n')).toEqual(['normal']);
  });

  it('nothing is offered where a value may be anything, so that names of files are', () => {
    expect(offers('job-server', '--queue-path', '')).toEqual([]);
    expect(offers('submit', 'reverse')).toEqual([]);
    expect(run('bash', '--norc', '-c', 'source "$1"; complete -p nestjs-gearman', 'bash', script)).toBe(
      'complete -o bashdefault -o default -F _nestjs_gearman nestjs-gearman\n',
    );
  });
});

describeWith('fish', 'in fish', () => {
  it('commands, options and their words are offered', async () => {
    const script = await scriptFor('fish');
    const offers = (line: string): string[] =>
      run('fish', '--no-config', '-c', `source ${script}; complete -C "nestjs-gearman ${line}"`)
        .split('\n')
        .map((offer) => offer.split('\t')[0]!);
    expect(offers('sub')).toContain('submit');
    expect(offers('submit --prio')).toContain('--priority');
    expect(offers('submit --priority ')).toEqual(expect.arrayContaining(['high', 'normal', 'low']));
    expect(offers('submit --queue')).not.toContain('--queue-type');
  });
});

describeWith('zsh', 'in zsh', () => {
  it('the script is understood, and its function completes the command', async () => {
    const script = await scriptFor('zsh');
    run('zsh', '-n', script);
    const ask = 'autoload -Uz compinit && compinit -u -D && source "$1" && print -r -- $_comps[nestjs-gearman]';
    expect(run('zsh', '-f', '-c', ask, 'zsh', script)).toBe('_nestjs_gearman\n');
  });

  it('what it knows of options is what _arguments reads', async () => {
    const script = await scriptFor('zsh');
    // Outside of a completion _arguments says so; here it shows what it was given.
    const ask =
      'compdef() { :; }; source "$1"; _arguments() { print -rl -- "$@"; }; words=(nestjs-gearman submit ""); CURRENT=3; _nestjs_gearman';
    const given = run('zsh', '-f', '-c', ask, 'zsh', script).split('\n');
    expect(given).toContain('*--priority=[high, normal or low]:WORD:(high normal low)');
    expect(given).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\*-b\[/), expect.stringMatching(/^\*--background\[/)]),
    );
  });
});
