import { helpText } from '../options/help-text.js';
import { OPTION_GROUPS } from './options.js';

const INTRO = `
nestjs-gearman job-server [OPTIONS]

Runs a Gearman job server in the place of gearmand. It understands the same options.

  nestjs-gearman job-server                          on port 4730 of every address
  nestjs-gearman job-server -L 127.0.0.1 -p 4731     for this machine alone
  nestjs-gearman job-server -q file --queue-path /var/lib/gearman
                                                     background jobs survive a restart
  nestjs-gearman job-server -q file --queue-path DIR --policy '*:retries=5,backoff=10s'
                                                     and are tried again when they fail
`;

const OUTRO = `
A --policy names a function (* for those without one) and, behind the last colon, its settings:
  retries=N            how often a failed background job is tried again. Default 3.
  backoff=1s..10m      the wait before the first retry, and the longest. Default 1s..10m.
  factor=N             how much longer each further wait is. Default 2.
  jitter=N             the part of a wait that is random, 0 to 1. Default 0.2.
  dead-letter=on|off   whether a job out of retries is kept (nestjs-gearman dead). Default on.
Without a policy a failed job is not tried again, as with gearmand.

A time needs a unit: 500ms, 10s, 2m, 1h. A size may have one: 4096, 64K, 64M, 1G.

Signals: SIGTERM and SIGINT let running jobs finish, then end it; a second one ends it at once.
SIGUSR1 ends it when all jobs are done; those that a storage keeps wait for the next start.
SIGHUP opens the log file again and reads the certificates, the crontab and the tokens again.

Exit code, as gearmand's: 0 when it was told to end, 1 when the options were wrong, when it could
not start, or when it failed.

With gearmand's --queue-type libsqlite3, MySQL or Postgres and their settings, jobs are kept in our
storage: in the folder FILE.jobs beside --libsqlite3-db FILE, in a folder of /var/lib/gearman for a
database, or in --queue-path DIR. The first start moves in the jobs that gearmand left in its queue.

These options of gearmand are accepted, but mean nothing here: --threads, --hashtable-buckets,
--coredump, --syslog, --protocol http, --http-port, --keepalive-interval, --keepalive-count,
--store-queue-on-shutdown, and the settings of queue types that are not chosen.
`;

/** The help page of `nestjs-gearman job-server`. */
export function jobServerHelp(): string {
  return helpText(INTRO, OPTION_GROUPS, OUTRO);
}
