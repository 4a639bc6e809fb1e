import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tempDir } from '../support/temp-dir.js';

interface Blow {
  readonly kind: string;
  readonly name: string;
  readonly signal: string;
  readonly time: number;
  readonly over: number;
}

interface Ledgers {
  readonly accepted: readonly unknown[];
  readonly executions: ReadonlyMap<string, readonly unknown[]>;
}

interface Verdict {
  readonly accepted: number;
  readonly executed: number;
  readonly lost: readonly string[];
  readonly causes: ReadonlyMap<string, number>;
  readonly unexplained: readonly { readonly handle: string }[];
}

/** The parts of the harness, which are no TypeScript. */
const harness = <Parts>(file: string): Promise<Parts> => import(`../chaos/${file}.mjs`) as Promise<Parts>;
const { readLedgers } = await harness<{ readLedgers(folder: string): Ledgers }>('ledger');
const { judge } = await harness<{ judge(ledgers: Ledgers, blows: readonly Blow[], hasDatabase: boolean): Verdict }>(
  'judge',
);
const { storyOf } = await harness<{
  storyOf(handle: string, ledgers: Ledgers, blows: readonly Blow[], sockets: readonly string[]): string[];
}>('story');

/** A job that a worker ended twice at job server 1, and one that nobody ended. */
function ledgersIn(folder: string): Ledgers {
  const lines = {
    'client-0-1': ['accepted H:1 client-0-1.1 99000', 'accepted H:2 client-0-1.2 99500'],
    'worker-0-1': ['begun H:1 client-0-1.1 100000 1', 'done H:1 client-0-1.1 100010'],
    // The last line was being written when its writer was killed.
    'worker-0-2': ['begun H:1 client-0-1.1 130000 0', 'done H:1 client-0-1.1 130020', 'begun H:2 client-0-1.2 1'],
  };
  for (const [name, of] of Object.entries(lines)) {
    const whole = name === 'worker-0-2' ? of.slice(0, -1) : of;
    const rest = name === 'worker-0-2' ? of.at(-1)! : '';
    writeFileSync(join(folder, `${name}.ledger`), whole.map((line) => `${line} \n`).join('') + rest);
  }
  return readLedgers(folder);
}

const killed = (kind: string, name: string, time: number): Blow => ({
  kind,
  name,
  signal: 'SIGKILL',
  time,
  over: time + 5,
});

describe('the judge of a run in which everybody is killed', () => {
  it('finds what was lost, and what ran again without a cause', () => {
    const verdict = judge(ledgersIn(tempDir()), [killed('job-server', 'job-server-1-4', 90_000)], false);
    expect(verdict).toMatchObject({ accepted: 2, executed: 1, lost: ['H:2'], unexplained: [{ handle: 'H:1' }] });
  });

  it.each([
    ['its job server', killed('job-server', 'job-server-1-4', 100_020), 'job-server killed'],
    ['another one', killed('job-server', 'job-server-0-9', 100_020), 'another job-server killed'],
    ['the database', killed('database', 'primary', 100_020), 'primary killed'],
  ])('tells that what ran again was running when %s was killed', (_, blow, cause) => {
    const verdict = judge(ledgersIn(tempDir()), [blow], true);
    expect([...verdict.causes]).toEqual([[cause, 1]]);
    expect(verdict.unexplained).toEqual([]);
  });

  it('takes no other worker’s death for a cause', () => {
    const verdict = judge(ledgersIn(tempDir()), [killed('worker', 'worker-2-1', 100_005)], false);
    expect(verdict.unexplained).toEqual([{ handle: 'H:1', text: expect.stringContaining('H:1 ran again after') }]);
  });

  it('tells all that was written down of a job, and what was done around it', () => {
    const folder = tempDir();
    const sockets = [0, 1].map((number) => join(folder, `job-server-${number}.sock`));
    writeFileSync(`${sockets[0]}.log`, '129990 70 assigned H:1\n129991 70 assigned H:7\n129992 70 info of no matter\n');
    writeFileSync(
      `${sockets[1]}.log`,
      '99999 71 assigned H:1\n100012 71 error the disk failed\n7000 71 warn long ago\n',
    );
    const blows = [
      { ...killed('database', 'primary', 98_000), over: 99_700 },
      { ...killed('job-server', 'job-server-1-4', 85_000), signal: 'LAPSE', over: 100_500 },
      killed('worker', 'worker-1-1', 10_000),
    ];
    expect(storyOf('H:1', ledgersIn(folder), blows, sockets)).toEqual([
      '   -2.000 s  primary killed, over after 1700 ms',
      '   -1.000 s  accepted as client-0-1.1',
      '   -0.001 s  job server 1 (71): assigned H:1',
      '    0.000 s  begun by worker-0-1 at job server 1, as client-0-1.1',
      '    0.010 s  done by worker-0-1',
      '    0.012 s  job server 1 (71): error the disk failed',
      '    0.500 s  job-server taken for dead: job-server-1-4',
      '   29.990 s  job server 0 (70): assigned H:1',
      '   30.000 s  begun by worker-0-2 at job server 0, as client-0-1.1',
      '   30.020 s  done by worker-0-2',
    ]);
  });
});
