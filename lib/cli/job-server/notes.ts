import { UsageFailure } from '../failure.js';
import type { JobServerValues } from './options.js';
import { unusedQueueSettings } from './queue-choice.js';

const FORMER_QUEUE =
  '--queue-type lmdb is --queue-type file from now on; jobs that are in a folder of the former form come with ' +
  'nestjs-gearman import --from lmdb DIR --queue-path OTHER';

/**
 * What the log says, once, about options that were accepted but have no meaning
 * here.
 *
 * @throws UsageFailure for a protocol that does not exist.
 */
export function notesOn(values: JobServerValues): string[] {
  const notes: string[] = [];
  const note = (isGiven: boolean, option: string, why: string): void => {
    if (isGiven) notes.push(`${option} has no meaning here: ${why}`);
  };
  note(values.threads !== undefined, '--threads', 'one thread does all the work');
  note(values['hashtable-buckets'] !== undefined, '--hashtable-buckets', 'the tables grow by themselves');
  note(values.coredump, '--coredump', 'the system decides (ulimit -c)');
  note(values.syslog, '--syslog', 'it logs to --log-file, or to stderr, which a service manager collects');
  const isProbed = values['keepalive-interval'] !== undefined || values['keepalive-count'] !== undefined;
  note(isProbed, '--keepalive-interval, --keepalive-count', 'a silent peer is probed ten times, once a second');
  const isStray = !isHttp(values.protocol) && values['http-port'] !== undefined;
  note(isStray, '--http-port', 'HTTP is answered with --protocol http; --web-port has more of it');
  const isCaUnused = values['ssl-ca-file'] !== undefined && !isCertificateAsked(values);
  note(
    isCaUnused,
    '--ssl-ca-file',
    'no client is asked for a certificate; --ssl-client-certificate required demands one',
  );
  const unused = unusedQueueSettings(values);
  note(
    unused.length > 0,
    unused.map((name) => `--${name}`).join(', '),
    'no --queue-type that they belong to is chosen',
  );
  const isStored = values['store-queue-on-shutdown'] && !unused.includes('store-queue-on-shutdown');
  note(isStored, '--store-queue-on-shutdown', 'a job is on disk before it is acknowledged');
  if (values['queue-type']?.toLowerCase() === 'lmdb') notes.push(FORMER_QUEUE);
  return notes;
}

function isCertificateAsked({ 'ssl-client-certificate': when = 'none' }: JobServerValues): boolean {
  return when !== 'none';
}

function isHttp(protocol: string | undefined): boolean {
  if (protocol === undefined || protocol === 'gear') return false;
  if (protocol === 'http') return true;
  throw new UsageFailure(`there is no protocol ${protocol}: Gearman itself needs no --protocol`);
}
