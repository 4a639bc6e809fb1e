import { beforeAll, describe, expect, it } from '@jest/globals';
import { JobServer } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { atEnd } from '../../support/cleanup.js';
import { RawPeer } from '../../support/raw-peer.js';
import { command, RunningCommand } from '../../support/terminal.js';
import { until } from '../../support/until.js';
import { rawPacket } from '../../support/wire.js';

const FORGED = 'evil  9  9\n\x1b[2Jforged\t9';
const FORGED_SHOWN = 'evil  9  9\\x{0a}\\x{1b}[2Jforged\\x{09}9';
/** U+009B begins a sequence of a terminal, U+202E turns what follows around; a byte that is no UTF-8. */
const STEERING = '\xc2\x9b31m \xe2\x80\xae \xe9';

describe('the commands for people, beside a peer that chose evil names', () => {
  let at: string[];
  let jobServer: JobServer;

  beforeAll(async () => {
    jobServer = new JobServer({ listeners: [{ port: 0 }] });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    at = ['--server', jobServer.addresses[0]!];
    const peer = await RawPeer.connect({ port: jobServer.port! });
    peer.send(rawPacket('\0REQ', 22, 'id\n99  root'), rawPacket('\0REQ', 1, FORGED), rawPacket('\0REQ', 1, STEERING));
    await peer.untilEcho();
  });

  it('show each row as one line, and nothing that steers the terminal', async () => {
    const status = (await command(['status', ...at])).stdout;
    expect(status.split('\n')).toEqual([
      expect.stringMatching(/^FUNCTION/),
      expect.stringMatching(/^evil {2}9 {2}9\\x\{0a\}\\x\{1b\}\[2Jforged\\x\{09\}9 +0 +0 +0 +0 +0 +0 +1 +no$/),
      expect.stringMatching(/^\\x\{c2\}\\x\{9b\}31m \\x\{e2\}\\x\{80\}\\x\{ae\} \\x\{e9\} +0 +0 +0 +0 +0 +0 +1 +no$/),
      '',
    ]);
    const workers = (await command(['workers', ...at])).stdout;
    expect(workers.split('\n')[1]).toMatch(
      /^127\.0\.0\.1 {2}id\\x\{0a\}99 {2}root {2}evil\\x\{20\}\\x\{20\}9\\x\{20\}\\x\{20\}9\\x\{0a\}\S+ \S+$/,
    );
  });

  it('give programs the names themselves, as JSON that is harmless as well', async () => {
    const { stdout } = await command(['status', ...at, '--json']);
    expect(stdout).toMatch(/^[ -~]+\n$/);
    const rows = JSON.parse(stdout) as { function: string }[];
    expect(rows.map((row) => row.function)).toEqual([FORGED, '\\x{c2}\\x{9b}31m \\x{e2}\\x{80}\\x{ae} \\x{e9}']);
  });

  it('take names as they are shown', async () => {
    const running = new RunningCommand(['work', ...at, '-f', 'line\\x{0a}end', '--count', '1', '--', 'rev']);
    await until('a worker', () => coreOf(jobServer).engine.functions.find('line\nend')?.workers.size === 1);
    expect((await command(['submit', ...at, 'line\\x{0a}end', 'abc'])).stdout).toBe('cba');
    expect((await running.result).exitCode).toBe(0);
    expect(await command(['submit', ...at, '--background', FORGED_SHOWN, 'x'])).toMatchObject({ exitCode: 0 });
    expect(coreOf(jobServer).engine.functions.find(FORGED)?.total).toBe(1);
  });

  it('tell a failure in one line, whatever its worker says', async () => {
    const worker = await RawPeer.connect({ port: jobServer.port! });
    worker.send('CAN_DO fails', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    worker.send('PRE_SLEEP');
    const failing = command(['submit', ...at, 'fails', 'x']);
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    const [, handle] = /^JOB_ASSIGN (\S+?)·/.exec(await worker.next())!;
    worker.send(rawPacket('\0REQ', 25, `${handle}\0no\nnestjs-gearman: forged\x1b[2J`));
    const { stderr } = await failing;
    expect(stderr).toMatch(/^nestjs-gearman: .*no\\x\{0a\}nestjs-gearman: forged\\x\{1b\}\[2J\n$/);
  });
});
