import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { JobClient, JobWorker } from '../../../lib/driver/index.js';
import { JobServer } from '../../../lib/job-server/index.js';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { requireBuild } from '../../support/built.js';
import { atEnd } from '../../support/cleanup.js';
import { COMMAND, runCommand } from '../../support/command.js';
import { freePort } from '../../support/free-port.js';
import { startGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';
import { mustSucceed } from '../../support/run.js';
import { tempDir } from '../../support/temp-dir.js';
import { inTerminal, type RealTerminal } from '../../support/tmux.js';

requireBuild();

describe('A watcher of a job server', () => {
  let jobServer: JobServer;
  let at: string[];

  beforeAll(async () => {
    jobServer = new JobServer({ listeners: [{ port: 0 }] });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    at = ['-h', '127.0.0.1', '-p', `${jobServer.port}`, '--interval', '300ms'];
    const servers = jobServer.addresses[0]!;
    const worker = new JobWorker({ servers, clientId: 'worker-1' });
    atEnd(() => worker.close());
    worker.register('画像🦄', () => 'done');
    worker.register('idle', () => 'done');
    await worker.start();
    const client = new JobClient({ servers });
    atEnd(() => client.close());
    for (let job = 0; job < 3; job++) await client.submitBackground({ function: 'alone', workload: Buffer.from('x') });
    await client.submitBackground({ function: 'evil\u001b[31m\n', workload: Buffer.from('x') });
  });

  const words = (...args: string[]): string => [process.execPath, COMMAND, 'top', ...args].join(' ');
  const watch = (...args: string[]): Promise<RealTerminal> => inTerminal(['sh', '-c', words(...args)]);

  /** To the command that runs in the terminal. */
  async function signalTo(terminal: RealTerminal, signal: NodeJS.Signals): Promise<void> {
    const shell = await terminal.flag('pane_pid');
    const { stdout } = await mustSucceed('ps', ['-e', '-o', 'pid=,ppid=,args=']);
    const processes = stdout
      .trim()
      .split('\n')
      .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)!.slice(1));
    const below = new Set([shell]);
    for (const [pid, parent] of processes) if (below.has(parent!)) below.add(pid!);
    const command = processes.find(([pid, , args]) => below.has(pid!) && args!.startsWith(process.execPath));
    process.kill(Number(command![0]), signal);
  }

  describe('top where there is no terminal', () => {
    it('prints one table, trouble first, and ends', async () => {
      const { code, stdout, stderr } = await runCommand(['top', ...at]);
      expect([code, stderr]).toEqual([0, '']);
      const lines = stdout.trimEnd().split('\n');
      expect(lines[0]).toMatch(/^FUNCTION +TROUBLE +WAITING +RUNNING +WORKERS +OLDEST +IN\/S +DONE\/S /);
      expect(lines[1]).toMatch(/^alone +no workers +3 +0 +0 +\S+ +0 +0 +0 +0 +-$/);
      expect(lines[2]).toMatch(/^evil\\x\{1b\}\[31m\\x\{0a\} +no workers +1 /);
      expect(lines).toHaveLength(5);
    });

    it('prints it as JSON', async () => {
      const { stdout } = await runCommand(['top', '--json', ...at]);
      const rows = JSON.parse(stdout) as object[];
      expect(rows[0]).toMatchObject({ function: 'alone', trouble: 'no workers', waiting: 3, workers: 0, in: 0 });
    });

    it('ends with 1 when a job server does not answer, and shows the others', async () => {
      const servers = ['--server', `127.0.0.1:${jobServer.port}`, '--server', `127.0.0.1:${await freePort()}`];
      const { code, stdout, stderr } = await runCommand(['top', '-i', '300ms', ...servers]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^SERVER +FUNCTION .*\n127\.0\.0\.1:\d+ +alone +no workers/);
      expect(stderr).toMatch(/1 of 2 job servers did not answer\n$/);
    });

    it('refuses an interval that would only keep the job server busy', async () => {
      expect(await runCommand(['top', '--interval', '10ms'])).toMatchObject({ code: 2 });
    });
  });

  describeWith('tmux', 'top on a real terminal', () => {
    it('sorts, searches, opens and pauses a function', async () => {
      const terminal = await watch(...at);
      await terminal.shows(/^alone +no workers +3 +0 +0 +\d\S* +0 +0/m);
      expect(await terminal.flag('cursor_flag')).toBe('0');
      await terminal.type('/画');
      await terminal.shows(/^FUNCTION .*\n画像🦄 +0 +0 +1 .*\n\n/m);
      await terminal.press('Enter');
      await terminal.press('Enter');
      await terminal.shows(/^画像🦄 .*\n[^]*No jobs\.\n\nWORKER +ADDRESS +FUNCTIONS\nworker-1 +127\.0\.0\.1 +2$/m);
      await terminal.type('p');
      await terminal.shows(/^Hold the jobs of 画像🦄 back from workers\? y\/n$/m);
      await terminal.type('y');
      await terminal.shows(/^画像🦄 +paused /m);
      expect(coreOf(jobServer).engine.functions.find(Buffer.from('画像🦄').toString('latin1'))?.isPaused).toBe(true);
      await terminal.type('p');
      await terminal.shows(/^Give jobs of 画像🦄 to workers again\? y\/n$/m);
      await terminal.type('y');
      await terminal.shows(/^画像🦄 goes on\.$/m);
      expect(coreOf(jobServer).engine.functions.find(Buffer.from('画像🦄').toString('latin1'))?.isPaused).toBe(false);
      await terminal.type('q');
      await terminal.press('Escape');
      await terminal.shows(/^alone +no workers/m);
      await terminal.press('Right');
      await terminal.shows(/^FUNCTION▲ /m);
      await terminal.type('?');
      await terminal.shows(/^Keys$/m);
    });

    it('fits when the terminal becomes narrow and wide', async () => {
      const terminal = await watch(...at);
      await terminal.shows(/^FUNCTION .* IN\/S {2}DONE\/S/m);
      await terminal.resize(40, 10);
      await terminal.shows(/^FUNCTION +TROUBLE▲ +WAITING\nalone/m);
      await terminal.resize(200, 30);
      await terminal.shows(/ DELAYED {2}LONGEST\nalone/m);
    });

    it.each([
      ['q', (terminal: RealTerminal) => terminal.type('q'), 0],
      ['Ctrl-C', (terminal: RealTerminal) => terminal.press('C-c'), 0],
      ['SIGINT', (terminal: RealTerminal) => signalTo(terminal, 'SIGINT'), 0],
      ['SIGTERM', (terminal: RealTerminal) => signalTo(terminal, 'SIGTERM'), 0],
      ['SIGHUP', (terminal: RealTerminal) => signalTo(terminal, 'SIGHUP'), 0],
    ])('leaves the terminal as it was after %s', async (_, end, code) => {
      const line = `echo before; ${words(...at)}; echo "code $?"; stty -a | grep -o -e '-*icanon'`;
      const terminal = await inTerminal(['sh', '-c', line]);
      await terminal.shows(/^alone +no workers/m);
      expect(await terminal.flag('alternate_on')).toBe('1');
      await end(terminal);
      await terminal.shows(new RegExp(`^before\ncode ${code}\nicanon\n`));
      expect([await terminal.flag('alternate_on'), await terminal.flag('cursor_flag')]).toEqual(['0', '1']);
    });

    it('leaves the terminal as it was after an error of ours, and shows that', async () => {
      const broken = join(tempDir(), 'broken.mjs');
      writeFileSync(broken, "process.on('SIGUSR2', () => { throw new Error('as bad as it gets'); });");
      const command = [process.execPath, '--import', broken, COMMAND, 'top', ...at].join(' ');
      const terminal = await inTerminal(['sh', '-c', `${command}; echo "code $?"; stty -a | grep -o -e '-*icanon'`]);
      await terminal.shows(/^alone +no workers/m);
      await signalTo(terminal, 'SIGUSR2');
      await terminal.shows(/^Error: as bad as it gets\n[^]*^code 1\nicanon\n/m);
      expect([await terminal.flag('alternate_on'), await terminal.flag('cursor_flag')]).toEqual(['0', '1']);
    });

    it('stops at Ctrl-Z, and goes on in the foreground', async () => {
      const terminal = await inTerminal(['bash', '--norc', '-i']);
      await terminal.type(words(...at));
      await terminal.press('Enter');
      await terminal.shows(/^alone +no workers/m);
      await terminal.press('C-z');
      await terminal.shows(/Stopped/);
      expect([await terminal.flag('alternate_on'), await terminal.flag('cursor_flag')]).toEqual(['0', '1']);
      await terminal.type('fg');
      await terminal.press('Enter');
      await terminal.shows(/^alone +no workers/m);
      expect(await terminal.flag('alternate_on')).toBe('1');
      await terminal.type('q');
      await terminal.shows(/--interval 300ms\n\S*[$#]$/);
    });

    it('waits for a job server that is not there', async () => {
      const port = await freePort();
      const terminal = await watch('-h', '127.0.0.1', '-p', `${port}`, '--interval', '300ms');
      await terminal.shows(/^! .*127\.0\.0\.1:\d+/m);
      const late = new JobServer({ listeners: [{ port }] });
      await late.start();
      atEnd(() => late.stop());
      await terminal.shows(/^No functions yet/m);
    });
  });

  describeWith(['tmux', 'gearmand'], 'top on a real terminal, of C gearmand', () => {
    it('shows C gearmand’s functions, and leaves blank what it does not tell', async () => {
      const gearmand = await startGearmand();
      const client = new JobClient({ servers: `127.0.0.1:${gearmand.port}` });
      atEnd(() => client.close());
      await client.submitBackground({ function: 'foreign', workload: Buffer.from('x') });
      const terminal = await watch('-h', '127.0.0.1', '-p', `${gearmand.port}`, '--interval', '300ms');
      await terminal.shows(/^foreign +no workers +1 +0 +0$/m);
      await terminal.type('p');
      await terminal.shows(/cannot hold a function back: it is none of ours\.$/m);
      await terminal.press('Enter');
      await terminal.shows(/^This job server does not tell which jobs are whose\.\n\nNo worker can do it\.$/m);
    });
  });
});
