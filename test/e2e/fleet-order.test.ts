import { expect, it } from '@jest/globals';
import { startJobServerCommand } from '../support/command.js';
import type { Daemon } from '../support/daemon.js';
import { setStandby, startPostgres, type DatabaseServer } from '../support/databases.js';
import { mustAccept } from '../support/durable-job-server.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { attachStrace, type SystemCall } from '../support/strace.js';
import { until } from '../support/until.js';

/** How strace writes a ReadyForQuery outside of a transaction. */
const READY = String.raw`Z\0\0\0\5I`;

/** So long each commit of jobs takes, in milliseconds: an answer that does not wait for it is out long before. */
const COMMIT_TIME = 50;

/** A commit of jobs sleeps, as one does that waits for its disk. */
const SLOW_COMMIT = `
  CREATE FUNCTION gearman.sleep() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_sleep(${COMMIT_TIME / 1_000}); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER sleep AFTER INSERT ON gearman.job DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION gearman.sleep()`;

async function start(): Promise<{ database: DatabaseServer; server: Daemon; client: RawPeer }> {
  const database = await startPostgres();
  const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
  const server = await startJobServerCommand(['-q', 'postgres', '--pg-url', url, '--pg-query-timeout', '60s']);
  const client = await RawPeer.connect(server);
  await client.untilEcho();
  return { database, server, client };
}

/** What was wrong with the order in which a job was committed and its JOB_CREATED came to its client. */
function disorder(calls: readonly SystemCall[], database: number, workload: string, handle: string): string[] {
  const isDatabase = ({ text }: SystemCall): boolean =>
    new RegExp(`^\\w+\\(\\d+<TCP:\\[\\S*:${database}\\]>`).test(text);
  const socketOf = ({ text }: SystemCall): string => /^\w+\((\d+)/.exec(text)![1]!;
  const isWrite = ({ name }: SystemCall): boolean => name.startsWith('write') || name.startsWith('send');
  const packet = new RegExp(`${handle}(?!\\d)`);
  const written = calls.find((call) => isDatabase(call) && isWrite(call) && call.text.includes(workload));
  if (!written) return [`${workload} was not seen on its way to the database`];
  const answered = calls.find((call) => !isDatabase(call) && isWrite(call) && packet.test(call.text));
  if (!answered) return [`${handle} was not seen on its way to the client`];
  const isReady = (call: SystemCall): boolean => isDatabase(call) && !isWrite(call) && call.text.includes(READY);
  const committed = calls.find(
    (call) => isReady(call) && call.from > written.to && socketOf(call) === socketOf(written),
  );
  const isDurable = committed !== undefined && committed.to < answered.from;
  return isDurable ? [] : [`JOB_CREATED ${handle} left before ${workload} was committed`];
}

describeWith(['postgres', 'strace'], 'JOB_CREATED of a job server on PostgreSQL, as the kernel sees it,', () => {
  it('leaves only when the database has said that the job is committed', async () => {
    const { database, server, client } = await start();
    await database.sql(SLOW_COMMIT);
    const strace = await attachStrace(server.pid, ['-e', 'trace=read,recvfrom,recvmsg,write,writev,sendto,sendmsg']);
    const jobs: [workload: string, handle: string][] = [];
    for (const [index, type] of ['SUBMIT_JOB_BG', 'SUBMIT_JOB_HIGH_BG', 'SUBMIT_JOB_LOW_BG'].entries()) {
      jobs.push([`alone ${index}.`, await mustAccept(client, `${type} f··alone ${index}.`)]);
    }
    jobs.push(['later.', await mustAccept(client, 'SUBMIT_JOB_EPOCH f·unique·4000000000·later.')]);
    const crowd = Array.from({ length: 20 }, (_, index) => `crowd ${index}.`);
    client.send(...crowd.map((workload) => `SUBMIT_JOB_BG f··${workload}`));
    const answers = await client.nextOnes(crowd.length);
    jobs.push(...answers.map((answer, index): [string, string] => [crowd[index]!, answer.split(' ')[1]!]));
    const calls = await strace.detach();
    expect(jobs.flatMap(([workload, handle]) => disorder(calls, database.port, workload, handle))).toEqual([]);
  }, 180_000);
});

describeWith('postgres', 'JOB_CREATED of a job server on PostgreSQL with a synchronous standby', () => {
  it('leaves only when the standby has the job', async () => {
    const { database, server, client } = await start();
    const other = await RawPeer.connect(server);
    await mustAccept(client, 'SUBMIT_JOB_BG f··before');
    await setStandby(database, 'nobody');
    const answers: string[] = [];
    client.send('SUBMIT_JOB_BG f··x');
    void client.next().then((answer) => answers.push(answer));
    const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%gearman.job%'`;
    await until('its commit waits for the standby', async () => (await database.sql(waiting)) === '1\n');
    // What the job server had said by now would be here before its answer to somebody else.
    await other.untilEcho();
    expect(answers).toEqual([]);
    await setStandby(database, '');
    await until('it is answered', () => answers.length > 0);
    expect(answers).toEqual([expect.stringMatching(/^JOB_CREATED H:/)]);
  }, 180_000);
});
