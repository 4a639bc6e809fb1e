import { describe, expect, it } from '@jest/globals';
import { parseJobServerLine } from '../../../lib/cli/job-server/options.js';
import { settingsFrom, type Settings } from '../../../lib/cli/job-server/settings.js';

const settings = (line: string, env: NodeJS.ProcessEnv = {}): Promise<Settings> =>
  settingsFrom(parseJobServerLine(line.split(' ').filter((word) => word !== '')), env);

const HERE = '-L 127.0.0.1';
const TLS_FILES = '--ssl-certificate c.pem --ssl-key k.pem';

describe('the settings of the job server', () => {
  it.each([
    ['--job-retries=3', { jobRetries: 3 }],
    ['-j3', { jobRetries: 3 }],
    ['--job-handle-prefix x', { jobHandlePrefix: 'x' }],
    ['-w 2', { wakeupsPerJob: 2 }],
    ['--exceptions', { exceptions: true }],
    ['-R', { order: undefined }],
    ['--order 1.1', { order: '1.1' }],
    ['--keepalive --keepalive-idle 30', { keepAliveDelay: 30_000 }],
    ['--keepalive-idle -1', { keepAliveDelay: undefined }],
    ['--keepalive-idle 0', { keepAliveDelay: 0 }],
    ['--max-queue 5', { maxQueue: [5, 5, 5] }],
    ['--max-queue 3,2,1', { maxQueue: [3, 2, 1] }],
    ['--max-connections 7', { maxConnections: 7 }],
    ['--file-descriptors 100', { maxConnections: 68 }],
    ['-f 100 --max-connections 7', { maxConnections: 7 }],
    ['--max-packet-bytes 1M', { maxPacketBytes: 1_048_576 }],
    ['--idle-timeout 1m', { idleTimeout: 60_000 }],
    ['--max-running 4', { maxRunningPerWorker: 4 }],
    ['--shutdown-command', { shutdownCommand: true }],
    ['--verbose debug', { verbosity: 'DEBUG' }],
    ['', { verbosity: 'INFO' }],
  ])('come from %s', async (line, expected) => {
    expect((await settings(`${HERE} ${line}`)).jobServer).toMatchObject(expected);
  });

  it.each([
    [HERE, [{ host: '127.0.0.1', port: 4730 }]],
    [`${HERE} -p 0 -b 9`, [{ host: '127.0.0.1', port: 0, backlog: 9 }]],
    ['-L 127.0.0.1 -L [::1]', [{ host: '127.0.0.1' }, { host: '::1' }]],
    ['-L 0.0.0.0 -L ::', [{ host: '::' }]],
    ['-L unix:/run/g.sock', [{ path: '/run/g.sock' }]],
    [`${HERE} -L unix:/g`, [{ path: '/g' }, { host: '127.0.0.1' }]],
    [`${HERE} --admin loopback`, [{ admin: 'loopback' }]],
    [`${HERE} --admin-port 1`, [{ admin: 'refused' }, { host: '127.0.0.1', port: 1, admin: 'only' }]],
    [`${HERE} --ssl ${TLS_FILES}`, [{ port: 4730, tls: { certificate: 'c.pem', key: 'k.pem' } }]],
    [`${HERE} --ssl-port 1 ${TLS_FILES}`, [{ port: 4730 }, { port: 1, tls: { clientCertificate: 'none' } }]],
    [
      `${HERE} --ssl ${TLS_FILES} --ssl-ca-file ca --ssl-client-certificate required`,
      [{ tls: { ca: 'ca', clientCertificate: 'required' } }],
    ],
  ])('listen as %s says', async (line, expected) => {
    const { listeners } = (await settings(line)).jobServer;
    expect(listeners).toHaveLength(expected.length);
    expect(listeners).toMatchObject(expected);
  });

  it('listens on every address unless told otherwise, and says so', async () => {
    const { jobServer, notes } = await settings('');
    expect(['::', '0.0.0.0']).toContain(jobServer.listeners![0]!.host);
    expect(notes).toEqual([expect.stringContaining('--listen 127.0.0.1 keeps it to this machine')]);
  });

  it.each([
    [{ GEARMAND_PORT: '4731' }, '', 4731, undefined],
    [{ GEARMAND_PORT: '4731' }, '-p 4732', 4732, undefined],
    [{ GEARMAND_PORT: '' }, '', 4730, undefined],
    [{ GEARMAND_PORT: 'tcp://10.0.0.1:4730' }, '', 4730, 'GEARMAND_PORT=tcp://10.0.0.1:4730 is ignored'],
  ])('heed the environment %j', async (env, line, port, note) => {
    const { jobServer, notes } = await settings(`${HERE} ${line}`, env);
    expect(jobServer.listeners).toMatchObject([{ port }]);
    expect(notes).toEqual(note === undefined ? [] : [expect.stringContaining(note)]);
  });

  it('take certificates from the environment, and from the command line before it', async () => {
    const env = { GEARMAND_SERVER_PEM: 'env.pem', GEARMAND_SERVER_KEY: 'env.key', GEARMAND_CA_CERTIFICATE: 'env.ca' };
    const { listeners } = (await settings(`${HERE} --ssl --ssl-key line.key`, env)).jobServer;
    expect(listeners).toMatchObject([{ tls: { certificate: 'env.pem', key: 'line.key', ca: 'env.ca' } }]);
  });

  it('shares a database with other job servers', async () => {
    const line = `${HERE} -q postgres --pg-url postgresql://h/d --pg-name one --pg-schema s --pg-patience 5s --pg-query-timeout 2s --pg-lease-time 9s --advertise tls://h:4730`;
    const stored = (await settings(line)).jobServer.storage;
    const names = { url: 'postgresql://h/d', schema: 's', name: 'one', address: 'tls://h:4730' };
    expect(stored).toEqual({ type: 'postgres', ...names, patience: 5_000, queryTimeout: 2_000, leaseTime: 9_000 });
  });

  it('keep background jobs where --queue-type says', async () => {
    const storageOf = async (line: string) => (await settings(`${HERE} ${line}`)).jobServer.storage;
    expect(await storageOf('')).toBeUndefined();
    expect(await storageOf('-q builtin')).toBeUndefined();
    const stored = await storageOf('-q file --queue-path /d --queue-durability interval');
    expect(stored).toEqual({ type: 'file', path: '/d', durability: 'interval' });
    expect(await storageOf('-q file --lmdb-path /d --lmdb-durability none')).toMatchObject({ durability: 'none' });
    const former = await settings(`${HERE} -q lmdb --lmdb-path /d`);
    expect(former.jobServer.storage).toEqual({ type: 'file', path: '/d', durability: undefined });
    expect(former.notes).toEqual([expect.stringContaining('import --from lmdb DIR')]);
  });

  it.each([
    ['-q libsqlite3 --libsqlite3-db /q/queue.db', '/q/queue.db.jobs', '/q/queue.db, table gearman_queue'],
    ['-q LIBSQLITE3 --libsqlite3-db /q.db --libsqlite3-table t --queue-path /d', '/d', '/q.db, table t'],
    [
      '-q MySQL --mysql-host db.lan --mysql-port 3307 --mysql-user u --mysql-password p --mysql-db queues',
      '/var/lib/gearman/mysql-db.lan-3307-queues-gearman_queue.jobs',
      'mysql://db.lan:3307/queues, table gearman_queue',
    ],
    [
      '-q Postgres --libpq-conninfo postgres://u:p@h/q --libpq-table t',
      '/var/lib/gearman/postgres-h--q-t.jobs',
      'postgres://h/q, table t',
    ],
  ])('take over the queue of %s', async (line, path, name) => {
    const { jobServer, former, notes } = await settings(`${HERE} ${line}`);
    expect(jobServer.storage).toEqual({ type: 'file', path, durability: undefined });
    expect(former!.name).toBe(name);
    expect(notes).toEqual([]);
  });

  it.each([
    ['-d', '/var/log/gearmand.log'],
    ['', 'stderr'],
    ['-d --log-file none', 'none'],
  ])('log with %j to %s', async (line, file) => {
    expect((await settings(`${HERE} ${line}`)).logFile).toBe(file);
  });

  it.each([
    ['-t 4', '--threads'],
    ['--hashtable-buckets 7', '--hashtable-buckets'],
    ['--coredump', '--coredump'],
    ['--syslog', '--syslog'],
    ['--http-port 8080', '--http-port'],
    ['--keepalive-count 3', '--keepalive-interval, --keepalive-count'],
    [
      '--redis-server r --mysql-db m --store-queue-on-shutdown',
      '--store-queue-on-shutdown, --redis-server, --mysql-db',
    ],
  ])('note that %s has no meaning', async (line, option) => {
    expect((await settings(`${HERE} ${line}`)).notes).toEqual([
      expect.stringContaining(`${option} has no meaning here`),
    ]);
  });

  it('note that --ssl-ca-file alone demands no certificate of clients', async () => {
    const line = `${HERE} --ssl ${TLS_FILES} --ssl-ca-file ca.pem`;
    expect((await settings(line)).notes).toEqual([expect.stringMatching(/^--ssl-ca-file .* required demands one$/)]);
    expect((await settings(`${line} --ssl-client-certificate required`)).notes).toEqual([]);
  });

  it.each([
    ['-q libsqlite3', '--queue-type libsqlite3 needs --libsqlite3-db FILE'],
    ['-q MySQL', '--queue-type MySQL needs --mysql-db NAME'],
    ['-q mysql --mysql-db q --mysql-port x', "--mysql-port: must be a port, not 'x'"],
    ['-q Postgres', '--queue-type Postgres needs --libpq-conninfo'],
    ['-q postgres --libpq-conninfo service=x', '--libpq-conninfo: service means nothing here; write host, port'],
    ['-q postgres --libpq-conninfo nonsense', '--libpq-conninfo is host=HOST port=PORT dbname=NAME'],
    ['-q Redis', 'there is no queue type Redis here, as gearmand has: use --queue-type file'],
    ['-q libmemcached', 'there is no queue type libmemcached here, as gearmand has: use --queue-type file'],
    ['-q nosuch', 'there is no queue type nosuch: use --queue-type file'],
    ['-q file', '--queue-type file needs --queue-path DIR'],
    ['-q lmdb', '--queue-type file needs --queue-path DIR'],
    ['--queue-path /d', '--queue-path needs --queue-type file'],
    ['--keep-results 1h', '--keep-results needs --queue-type file'],
    ['-q postgres', 'or --pg-url URL: a database that job servers share'],
    ['--pg-url postgresql://h/d', '--pg-url needs --queue-type postgres'],
    ['-q lmdb --lmdb-path /d --pg-name x', '--pg-name needs --queue-type postgres'],
    ['-q postgres --pg-url postgresql://h/d --libpq-conninfo dbname=d', '--pg-url and --libpq-conninfo: choose one'],
    ['--advertise h:4730', '--advertise needs --queue-type postgres'],
    ['-q postgres --pg-url postgresql://h/d --advertise h:x', '--advertise: '],
    [`-q postgres --pg-url postgresql://h/d --advertise tls://h --ssl ${TLS_FILES}`, '--advertise with TLS: ENOENT'],
    ['-r foo', 'there is no protocol foo'],
    ['-R --order 1.1', '--round-robin and --order 1.1: choose one'],
    ['--ssl', 'TLS needs --ssl-certificate'],
    ['--ssl --ssl-certificate c', 'TLS needs --ssl-key'],
    ['--ssl-port 1 --ssl', '--ssl and --ssl-port: choose one'],
    [TLS_FILES, '--ssl-certificate needs TLS: add --ssl, or --ssl-port PORT'],
    [`--ssl ${TLS_FILES} --ssl-client-certificate required`, '--ssl-client-certificate required needs --ssl-ca-file'],
    ['--admin loopback --admin-port 1', '--admin and --admin-port: choose one'],
    ['--listen unix:', '--listen unix: needs a path'],
    ['--max-queue 1,2', '--max-queue: must be one whole number from 0, or three'],
  ])('refuse %s', async (line, message) => {
    await expect((async () => settings(line))()).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: 2,
    });
  });

  it('refuse a port in the environment that is none', async () => {
    await expect(settings(HERE, { GEARMAND_PORT: 'gearman' })).rejects.toThrow(
      'GEARMAND_PORT: must be a port from 0 to 65535',
    );
  });
});
