import { startDaemon, type Daemon } from './daemon.js';
import { freePort } from './free-port.js';

/** Where Debian puts the C job server; plain `gearmand` is found in /usr/bin, and is Perl's. */
export const C_GEARMAND = '/usr/sbin/gearmand';

/** Where Debian puts Perl's job server. */
export const PERL_GEARMAND = '/usr/bin/gearmand';

/** Starts C gearmand on a free loopback port, with more of its options if needed (`--job-retries=1`). */
export async function startGearmand(args: readonly string[] = [], port?: number): Promise<Daemon> {
  port ??= await freePort();
  return startDaemon(C_GEARMAND, [`--port=${port}`, '--listen=127.0.0.1', '--log-file=stderr', ...args], port);
}

/** Starts Perl's gearmand on a free loopback port, with more of its options if needed. */
export async function startPerlGearmand(args: readonly string[] = [], port?: number): Promise<Daemon> {
  port ??= await freePort();
  return startDaemon(PERL_GEARMAND, [`--port=${port}`, '--listen=127.0.0.1', ...args], port);
}
