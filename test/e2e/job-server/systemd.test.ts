import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { requireBuild } from '../../support/built.js';
import { spawnCommand, outcomeOf } from '../../support/command.js';
import { describeWith } from '../../support/peers.js';
import { startProgram } from '../../support/program.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';

requireBuild();

const UNIT = fileURLToPath(new URL('../../../docs/deploy/nestjs-gearman.service', import.meta.url));

/** Stands for systemd: prints each datagram that comes to a socket in the file system. */
const MANAGER = `use IO::Socket::UNIX; use Socket; $| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
print "listens\\n";
while (defined $socket->recv(my $news, 4096)) { print "$news\\n" }`;

async function startManager(): Promise<{ path: string; told(): string[] }> {
  const path = join(tempDir(), 'notify');
  const manager = startProgram('perl', ['-e', MANAGER, path]);
  await until('the manager listens', () => manager.output().includes('listens'));
  return {
    path,
    told: () =>
      manager
        .output()
        .split('\n')
        .filter((line) => /^[A-Z]+=\w/.test(line)),
  };
}

describeWith(['systemd', 'perl'], 'a job server under systemd', () => {
  it('says when it listens, and within its watchdog time that it lives', async () => {
    const { path, told } = await startManager();
    const child = spawnCommand(['job-server', '-p', '0', '-L', '127.0.0.1'], {
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: '400000',
    });
    const outcome = outcomeOf(child);
    await until('three signs of life', () => told().filter((line) => line === 'WATCHDOG=1').length >= 3);
    expect(told()).toContain('READY=1');
    child.kill('SIGTERM');
    const { code, stderr } = await outcome;
    expect(code).toBe(0);
    expect(stderr).not.toContain('systemd is not told');
  });

  it('says nothing of a watchdog that is meant for another process', async () => {
    const { path, told } = await startManager();
    const child = spawnCommand(['job-server', '-p', '0', '-L', '127.0.0.1'], {
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: '1000',
      WATCHDOG_PID: '1',
    });
    const outcome = outcomeOf(child);
    await until('it is ready', () => told().includes('READY=1'));
    child.kill('SIGTERM');
    await outcome;
    expect(told().filter((line) => line.startsWith('WATCHDOG'))).toEqual([]);
  });

  it('goes on, and logs why, where systemd cannot be told', async () => {
    const child = spawnCommand(['job-server', '-p', '0', '-L', '127.0.0.1'], { NOTIFY_SOCKET: '/nonexistent/notify' });
    let log = '';
    child.stderr!.on('data', (text: Buffer) => (log += text.toString()));
    const outcome = outcomeOf(child);
    await until('it says so', () => log.includes('systemd is not told --ready'));
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect((await outcome).code).toBe(0);
  });

  it('has a unit that systemd finds nothing wrong with', () => {
    const path = join(tempDir(), 'nestjs-gearman.service');
    writeFileSync(path, readFileSync(UNIT, 'utf8').replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
    const { status, stderr, stdout } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect({ status, text: stderr + stdout }).toEqual({ status: 0, text: '' });
  });
});
