import { startDaemon, type Daemon } from './daemon.js';
import { freePort } from './free-port.js';

/** The path of the C job server on Debian; plain `gearmand` is in /usr/bin, and is Perl's. */
export const C_GEARMAND = '/usr/sbin/gearmand';

/** The path of Perl's job server on Debian. */
export const PERL_GEARMAND = '/usr/bin/gearmand';

/** Starts C gearmand on a free loopback port, if needed with more of its options (`--job-retries=1`). */
export async function startGearmand(args: readonly string[] = [], port?: number): Promise<Daemon> {
  port ??= await freePort();
  return startDaemon(C_GEARMAND, [`--port=${port}`, '--listen=127.0.0.1', '--log-file=stderr', ...args], port);
}

/** Starts Perl's gearmand on a free loopback port, if needed with more of its options. */
export async function startPerlGearmand(args: readonly string[] = [], port?: number): Promise<Daemon> {
  port ??= await freePort();
  return startDaemon(PERL_GEARMAND, [`--port=${port}`, '--listen=127.0.0.1', ...args], port);
}
