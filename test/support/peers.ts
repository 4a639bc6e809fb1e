import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from '@jest/globals';
import { CHROMIUM_OPTIONS } from './chromium-options.js';
import { postgresPrograms } from './databases.js';
import { C_GEARMAND, PERL_GEARMAND } from './gearmand.js';

/** A program outside of this package that tests need, and what to do if it is missing. */
interface Peer {
  /** The Debian packages that contain it. */
  readonly packages?: string;
  /** What to do if no package contains it. */
  readonly cure?: string;
  readonly isThere: () => boolean;
  /** Whether some machines with all programs cannot have it: its tests are then skipped even with REQUIRE_PEERS=1. */
  readonly isOptional?: boolean;
}

/** The real peers of the tests; `.ci/run` installs them all. */
const PEERS = {
  gearmand: { packages: 'gearman-job-server', isThere: () => existsSync(C_GEARMAND) },
  'perl gearmand': { packages: 'gearman-server', isThere: () => existsSync(PERL_GEARMAND) },
  gearman: { packages: 'gearman-tools', isThere: () => runs('gearman', '-H') },
  gearadmin: { packages: 'gearman-tools', isThere: () => runs('gearadmin', '--help') },
  libgearman: { packages: 'libgearman-dev gcc libc6-dev', isThere: hasLibgearman },
  perl: { packages: 'libgearman-client-perl', isThere: () => runs('perl', '-MGearman::Client', '-e1') },
  php: {
    packages: 'php-cli php-gearman',
    isThere: () => runs('php', '-r', "exit((int)!extension_loaded('gearman'));"),
  },
  redis: { packages: 'redis-server', isThere: () => runs('redis-server', '--version') },
  mariadb: { packages: 'mariadb-server', isThere: () => runs('mariadbd', '--version') },
  postgres: { packages: 'postgresql', isThere: () => postgresPrograms() !== undefined },
  prometheus: {
    packages: 'prometheus',
    isThere: () => runs('promtool', '--version') && runs('prometheus', '--version'),
  },
  chromium: { packages: 'chromium', isThere: () => existsSync(CHROMIUM_OPTIONS.executablePath) },
  zsh: { packages: 'zsh', isThere: () => runs('zsh', '--version') },
  fish: { packages: 'fish', isThere: () => runs('fish', '--version') },
  tmux: { packages: 'tmux', isThere: () => runs('tmux', '-V') },
  strace: { packages: 'strace', isThere: () => runs('strace', '-V') },
  'a disk of its own': {
    cure: 'run as root, allowed to mount',
    isThere: () => runs('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()),
  },
  'networks of its own': {
    cure: 'apt-get install iproute2, and run as root, allowed to make networks',
    isThere: () => runs('unshare', '--net', 'ip', 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'two'),
    isOptional: true,
  },
  systemd: {
    packages: 'systemd',
    isThere: () => runs('systemd-notify', '--version') && runs('systemd-analyze', '--version'),
  },
  openssl: { packages: 'openssl', isThere: () => runs('openssl', 'version') },
  sqlite3: { packages: 'sqlite3', isThere: () => runs('sqlite3', '--version') },
  cc: { packages: 'gcc libc6-dev', isThere: () => runs('cc', '--version') },
  'npm registry': {
    cure: 'let npm reach its registry (npm ping)',
    isThere: () => runs('npm', 'ping', '--fetch-retries=0', '--fetch-timeout=5000'),
  },
} satisfies Record<string, Peer>;

export type PeerName = keyof typeof PEERS;

const found = new Map<PeerName, boolean>();

/** Whether the machine has this peer. */
export function hasPeer(name: PeerName): boolean {
  let isThere = found.get(name);
  if (isThere === undefined) found.set(name, (isThere = PEERS[name].isThere()));
  return isThere;
}

/**
 * `describe` for tests that need real peers. If one is missing they are skipped, and
 * their title says what to install; with REQUIRE_PEERS=1 they fail instead, except for
 * peers that not every machine can have.
 */
export function describeWith(peers: PeerName | readonly PeerName[], title: string, tests: () => void): void {
  const missing = [peers].flat().filter((peer) => !hasPeer(peer as PeerName)) as PeerName[];
  const isRequired = missing.some((name) => !(PEERS[name] as Peer).isOptional);
  if (missing.length === 0) {
    describe(title, tests);
    return;
  }
  const cure = missing.map((name) => cureOf(PEERS[name])).join('; ');
  if (isRequired && process.env['REQUIRE_PEERS'] === '1') {
    describe(title, () => {
      it('finds its peers', () => {
        throw new Error(`REQUIRE_PEERS=1, and ${missing.join(', ')} missing: ${cure}`);
      });
    });
  } else {
    describe.skip(`${title} (skipped: ${cure})`, tests);
  }
}

function cureOf({ packages, cure }: Peer): string {
  return cure ?? `apt-get install ${packages}`;
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function hasLibgearman(): boolean {
  const program = '#include <libgearman/gearman.h>\n';
  return (
    spawnSync('cc', ['-fsyntax-only', '-x', 'c', '-'], { input: program, stdio: ['pipe', 'ignore', 'ignore'] })
      .status === 0
  );
}
