import { listed, toggle, valued, type OptionTable } from '../options/option.js';
import { duration, oneOf, port, text, whole } from '../options/values.js';
import { logLevel } from './log-level.js';

/*
 * gearmand 1.1's own options, with its names, letters and meanings, in the groups
 * of the help page; and in each group the options that we add.
 */

export const LISTENING = {
  port: valued('Port to listen on. Default 4730, or what the environment says in GEARMAND_PORT.', port, {
    short: 'p',
    argument: 'PORT',
  }),
  listen: listed(
    'Address or host name to listen on, or unix:/PATH; may be given several times. Default: every address of this machine.',
    text,
    { short: 'L', argument: 'ADDRESS' },
  ),
  backlog: valued('How many connections may wait to be accepted. Default 511.', whole(1), {
    short: 'b',
    argument: 'N',
  }),
  keepalive: toggle('Find dead peers by TCP keepalive. It is always on, unless --keepalive-idle is 0.'),
  'keepalive-idle': valued('Seconds before a silent peer is probed. Default 60.', whole(-1, 2_000_000), {
    argument: 'SECONDS',
  }),
  'keepalive-interval': valued('', whole(-1), { argument: 'SECONDS' }),
  'keepalive-count': valued('', whole(-1), { argument: 'N' }),
} as const satisfies OptionTable;

export const TLS = {
  ssl: toggle('Speak TLS on --port, and never plain text.'),
  'ssl-port': valued('Speak TLS on this port, beside plain text on --port.', port, { argument: 'PORT' }),
  'ssl-certificate': valued('The certificate chain, PEM. Or GEARMAND_SERVER_PEM.', text, { argument: 'FILE' }),
  'ssl-key': valued('Its private key, PEM. Or GEARMAND_SERVER_KEY.', text, { argument: 'FILE' }),
  'ssl-ca-file': valued("The authorities that sign clients' certificates, PEM. Or GEARMAND_CA_CERTIFICATE.", text, {
    argument: 'FILE',
  }),
  'ssl-client-certificate': valued(
    'Whether clients show a certificate: none (default), optional or required.',
    oneOf('none', 'optional', 'required'),
    { argument: 'WHEN' },
  ),
} as const satisfies OptionTable;

export const JOBS = {
  'job-retries': valued('A job whose worker was lost this many times fails. Default 0: never.', whole(0), {
    short: 'j',
    argument: 'N',
  }),
  'job-handle-prefix': valued('What handles begin with, instead of H:<host name>.', text, { argument: 'TEXT' }),
  'round-robin': toggle('Serve the functions of a worker in turn; the default order does.', 'R'),
  order: valued(
    "2.0 (default): priority over all of a worker's functions, then the functions in turn. 1.1: one function after the other.",
    oneOf('1.1', '2.0'),
    { argument: 'ORDER' },
  ),
  'worker-wakeup': valued('How many sleeping workers a job wakes; 0: all. Default 1.', whole(0), {
    short: 'w',
    argument: 'N',
  }),
  exceptions: toggle('Send every client the exceptions of its jobs, also one that did not ask.'),
  'grace-period': valued('How long running jobs may take to finish at SIGTERM. Default 8s; 0: no time.', duration, {
    argument: 'TIME',
  }),
} as const satisfies OptionTable;

export const PROCESS = {
  daemon: toggle('Go on in the background, once it listens.', 'd'),
  'pid-file': valued('Write the process id there, once it listens.', text, { short: 'P', argument: 'FILE' }),
  user: valued('Run as this user; needs root.', text, { short: 'u', argument: 'NAME' }),
  'file-descriptors': valued('How many file descriptors to use; connections are a few less.', whole(1), {
    short: 'f',
    argument: 'N',
  }),
  'log-file': valued(
    'Where to log: a file, opened again at SIGHUP, stderr or none. Default: stderr, or with --daemon /var/log/gearmand.log.',
    text,
    { short: 'l', argument: 'FILE' },
  ),
  verbose: valued('What to log: FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO (default) or DEBUG.', logLevel, {
    argument: 'LEVEL',
  }),
  'config-file': valued(
    'Read options from this file too, written as here. Default: /etc/gearmand.conf, if it exists.',
    text,
    { argument: 'FILE' },
  ),
  protocol: valued('http: also answer HTTP as gearmand does: POST /FUNCTION. --web-port can do more.', text, {
    short: 'r',
    argument: 'NAME',
  }),
  'http-port': valued('The port of --protocol http. Default: 8080.', port, { argument: 'PORT' }),
  'check-args': toggle('Check the options, and end.'),
  help: toggle('Show this page.', 'h'),
  version: toggle('Show the version.', 'V'),
} as const satisfies OptionTable;

/** gearmand's options without a meaning here; `notes.ts` has what the log says about each. */
export const WITHOUT_MEANING = {
  threads: valued('', whole(0), { short: 't', argument: 'N' }),
  'hashtable-buckets': valued('', whole(1), { argument: 'N' }),
  coredump: toggle(''),
  syslog: toggle(''),
} as const satisfies OptionTable;
