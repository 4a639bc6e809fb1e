import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { AdminClient } from 'nestjs-gearman';
import { startJobServerCommand } from '../../support/command.js';
import { freePort } from '../../support/free-port.js';
import { startGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';
import { CLOSED, RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';

/** Where a job server answers Gearman and HTTP. */
interface Place {
  readonly port: number;
  readonly http: number;
}

async function start(how: (args: readonly string[]) => Promise<{ port: number }>): Promise<Place> {
  const http = await freePort();
  const { port } = await how(['--protocol=http', `--http-port=${http}`]);
  const place = { port, http };
  await until('it answers HTTP', () => ask(place, 'POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n').then(Boolean));
  return place;
}

/** Sends bytes and hears all that is answered until the connection ends; "" also where nobody listens. */
function ask({ http }: Place, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(http, '127.0.0.1', () => socket.write(text, 'latin1'));
    socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
}

/** Does what the workload says, and for each job tells the unique and the workload it was given. */
async function work(place: Place, names: readonly string[]): Promise<string[]> {
  const worker = await RawPeer.connect(place);
  const jobs: string[] = [];
  worker.send(...names.map((name) => `CAN_DO ${name}`), 'GRAB_JOB_UNIQ');
  void (async () => {
    for (;;) {
      const packet = await worker.next().catch(() => undefined);
      if (packet === undefined || packet === CLOSED) return;
      const [, handle, name, unique, workload] = /^JOB_ASSIGN_UNIQ ([^·]+)·([^·]*)·([^·]*)·(.*)$/s.exec(packet) ?? [];
      if (handle === undefined) {
        worker.send(packet === 'NO_JOB' ? 'PRE_SLEEP' : 'GRAB_JOB_UNIQ');
        continue;
      }
      jobs.push(`${name} ${unique} ${workload}`);
      if (name === 'fails') worker.send(`WORK_FAIL ${handle}`);
      else if (name === 'tells') worker.send(`WORK_DATA ${handle}·part `, `WORK_COMPLETE ${handle}·end`);
      else if (name === 'warns') worker.send(`WORK_WARNING ${handle}·w`, `WORK_COMPLETE ${handle}·end`);
      else worker.send(`WORK_COMPLETE ${handle}·${[...workload!].reverse().join('')}`);
      worker.send('GRAB_JOB_UNIQ');
    }
  })();
  return jobs;
}

const NAMES = ['reverse', 'a/b', 'fails', 'tells', 'warns'];
const post = (name: string, headers = '', body = 'hello', method = 'POST'): string =>
  `${method} /${name} HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

const COMPLETE = `HTTP/1.0 200 OK\r\nX-Gearman-Job-Handle: H\r\nX-Gearman-Command: WORK_COMPLETE\r\nContent-Length: 5\r\nServer: S\r\n\r\nolleh`;
const CREATED = `HTTP/1.0 200 OK\r\nX-Gearman-Job-Handle: H\r\nX-Gearman-Command: JOB_CREATED\r\nContent-Length: 0\r\nServer: S\r\n\r\n`;
const FAILED = CREATED.replace('JOB_CREATED', 'WORK_FAIL');
const NOT_FOUND = 'HTTP/1.0 404 NOT_FOUND\r\nServer: S\r\nContent-Length: 0\r\n\r\n';

/** What both are sent, what both answer, and the job that came of it. */
const SAME: readonly (readonly [title: string, request: string, answer: string, job: string])[] = [
  ['a job', post('reverse', 'Host: x\r\n'), COMPLETE, 'reverse - hello'],
  ['HTTP/1.0', post('reverse').replace('1.1', '1.0'), COMPLETE, 'reverse - hello'],
  ['PUT', post('reverse', '', 'hello', 'PUT'), COMPLETE, 'reverse - hello'],
  ['no Host', post('reverse'), COMPLETE, 'reverse - hello'],
  ['several slashes', post('//reverse'), COMPLETE, 'reverse - hello'],
  ['a slash in the name', post('a/b'), COMPLETE, 'a/b - hello'],
  ['a background job', post('reverse', 'X-Gearman-Background: true\r\n'), CREATED, 'reverse - hello'],
  ['headers in any case', post('reverse', 'x-gearman-background: TRUE\r\n'), CREATED, 'reverse - hello'],
  ['not quite true', post('reverse', 'X-Gearman-Background: yes\r\n'), COMPLETE, 'reverse - hello'],
  [
    'a header said twice',
    post('reverse', 'X-Gearman-Background: true\r\nX-Gearman-Background: no\r\n'),
    CREATED,
    'reverse - hello',
  ],
  ['a unique', post('reverse', 'X-Gearman-Unique: u1\r\n'), COMPLETE, 'reverse u1 hello'],
  ['an empty unique', post('reverse', 'X-Gearman-Unique: \r\n'), COMPLETE, 'reverse - hello'],
  ['a priority', post('reverse', 'X-Gearman-Priority: high\r\n'), COMPLETE, 'reverse - hello'],
  ['a priority there is none of', post('reverse', 'X-Gearman-Priority: urgent\r\n'), COMPLETE, 'reverse - hello'],
  ['keep-alive', post('reverse', 'Connection: keep-alive\r\n'), COMPLETE, 'reverse - hello'],
  ['no body', 'POST /reverse HTTP/1.1\r\n\r\n', COMPLETE.replace('5', '0').replace('olleh', ''), 'reverse - '],
  ['line ends in the body', post('reverse', '', 'a\r\nbc'), COMPLETE.replace('olleh', 'cb\n\ra'), 'reverse - a\r\nbc'],
  ['no function', post(''), NOT_FOUND, ''],
];

/** What differs, by its name in docs/SEMANTICS.md: gearmand's answer, and ours. */
const DIFFERENT: readonly (readonly [
  name: string,
  request: string,
  gearmand: string | RegExp,
  ours: string | RegExp,
])[] = [
  [
    'http-get',
    'GET /reverse HTTP/1.1\r\n\r\n',
    COMPLETE.replace('5', '0').replace('olleh', ''),
    /^HTTP\/1.0 405 .*\r\nAllow: POST, PUT\r\n/s,
  ],
  ['http-get', 'OPTIONS /reverse HTTP/1.1\r\n\r\n', '', /^HTTP\/1.0 405 /],
  ['http-whole-handle', post('fails'), FAILED.replace('H\r', 'short\r'), FAILED],
  ['http-data', post('tells'), /end$/, COMPLETE.replace('5', '8').replace('olleh', 'part end')],
  [
    'http-waits-for-the-end',
    post('warns'),
    /X-Gearman-Command: WORK_WARNING\r\n/,
    COMPLETE.replace('5', '3').replace('olleh', 'end'),
  ],
  [
    'http-refusal',
    post('reverse', `X-Gearman-Unique: ${'u'.repeat(70)}\r\n`),
    /^HTTP\/1.0 200 OK\r\nX-Gearman-Job-Handle: ARGUMENT_TOO_LARGE\r\nX-Gearman-Command: ERROR\r\n/,
    /^HTTP\/1.0 400 Bad Request\r\nX-Gearman-Command: ERROR\r\n.*"code":"argument-too-large"}$/s,
  ],
  ['http-chunked', 'POST /reverse HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', '', COMPLETE],
  ['http-one-request', post('reverse') + post('reverse'), /^HTTP\/1.0 200 OK\r\n/, COMPLETE],
  ['http-header-blank', post('reverse', 'X-Gearman-Background:true\r\n'), COMPLETE, CREATED],
  ['http-continue', post('reverse', 'Expect: 100-continue\r\n'), COMPLETE, `HTTP/1.1 100 Continue\r\n\r\n${COMPLETE}`],
  ['http-strict', 'nonsense\r\n\r\n', '', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
  [
    'http-strict',
    post('reverse').replaceAll('\r\n', '\n'),
    COMPLETE,
    'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  ],
  [
    'http-no-page',
    post('reverse', 'Origin: http://evil.example\r\n'),
    COMPLETE,
    /^HTTP\/1.0 403 Forbidden\r\n.*"code":"cross-site"}$/s,
  ],
];

/** Without what differs from server to server: the handle, whole or cut, and what the server calls itself. */
function bare(answer: string): string {
  return answer
    .replace(/X-Gearman-Job-Handle: H:[^:\r]+:\d+\r/, 'X-Gearman-Job-Handle: H\r')
    .replace(/Server: [^\r]+\r/, 'Server: S\r');
}

const matches = (answer: string, expected: string | RegExp): void => {
  if (typeof expected === 'string') expect(bare(answer)).toBe(expected);
  else expect(bare(answer)).toMatch(expected);
};

function itAnswers(who: 'gearmand' | 'ours', begin: () => Promise<Place>): void {
  let place: Place;
  let jobs: string[];
  beforeAll(async () => {
    place = await begin();
    jobs = await work(place, NAMES);
  });

  it.each(SAME)('%s', async (_, request, answer, job) => {
    const before = jobs.length;
    expect(bare(await ask(place, request))).toBe(answer);
    if (job === '') return;
    await until('the job was run', () => jobs.length > before);
    expect(jobs.slice(before)).toEqual([job]);
  });

  it.each(DIFFERENT)('%s: %j', async (name, request, gearmand, ours) => {
    const answer = await ask(place, request);
    if (name === 'http-whole-handle' && who === 'gearmand') {
      // Of 12 and more it says 1: the last digit is missing where the number has two.
      expect(answer).toMatch(/X-Gearman-Command: WORK_FAIL\r\n/);
      const [, shown] = /Handle: H:[^:]+:(\d*)/.exec(answer)!;
      const next = await ask(place, post('reverse'));
      expect(/Handle: H:[^:]+:(\d+)/.exec(next)![1]).not.toBe(String(Number(shown) + 1));
      return;
    }
    matches(answer, who === 'gearmand' ? gearmand : ours);
  });
}

describeWith('gearmand', 'gearmand --protocol http answers as it is told of here', () => {
  itAnswers('gearmand', () => start((args) => startGearmand(args)));
});

describe('job-server --protocol http answers the same, but for what is named', () => {
  itAnswers('ours', () => start((args) => startJobServerCommand(args)));

  it('names each difference in docs/SEMANTICS.md', () => {
    const semantics = readFileSync(new URL('../../../docs/SEMANTICS.md', import.meta.url), 'utf8');
    const names = [...new Set(DIFFERENT.map(([name]) => name))];
    expect(names.filter((name) => !semantics.includes(`- \`${name}\`: `))).toEqual([]);
  });

  it('gives a job up whose caller has gone', async () => {
    const place = await start((args) => startJobServerCommand(args));
    const admin = new AdminClient({ server: `127.0.0.1:${place.port}` });
    const jobs = async (): Promise<number> =>
      (await admin.status()).find((row) => row.function === 'nobody')?.total ?? 0;
    const socket = connect(place.http, '127.0.0.1', () => socket.write(post('nobody')));
    await until('the job waits', async () => (await jobs()) === 1);
    socket.destroy();
    await until('the job is gone', async () => (await jobs()) === 0);
    await admin.close();
  });
});
