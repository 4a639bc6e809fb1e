import { helpText } from '../options/help-text.js';
import { OPTION_GROUPS } from './options.js';

const INTRO = `
nestjs-gearman job-server [OPTIONS]

Runs a Gearman job server, in the place of gearmand: it takes the same options.

  nestjs-gearman job-server                          on port 4730 of every address
  nestjs-gearman job-server -L 127.0.0.1 -p 4731     for this machine alone
  nestjs-gearman job-server -q lmdb --lmdb-path /var/lib/gearman
                                                     background jobs survive a restart
`;

const OUTRO = `
Times have a unit: 500ms, 10s, 2m, 1h. Sizes may: 4096, 64K, 64M, 1G.

Signals: SIGTERM and SIGINT let running jobs finish and end it, said twice at once; SIGUSR1
has everything done that waits, then ends it; SIGHUP opens the log file and reads the
certificates again.

Exit code: 0 when it was told to end, 1 when it could not start or failed, 2 when the options
were not understood.

Of gearmand's options these are accepted and mean nothing here: --threads, --hashtable-buckets,
--coredump, --syslog, --protocol http, --http-port, --keepalive-interval, --keepalive-count,
and the settings of its queue types.
`;

/** The help page of `nestjs-gearman job-server`. */
export function jobServerHelp(): string {
  return helpText(INTRO, OPTION_GROUPS, OUTRO);
}
