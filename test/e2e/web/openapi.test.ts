import { request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { describeApi, mustFit, validatorOf, type Answered } from '../../support/api-answers.js';
import { Random } from '../../support/random.js';
import { startWeb, type WebScene } from '../../support/web-scene.js';

describe('openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    const description = await describeApi();
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...structuredClone(description) });
    expect([valid, errors]).toEqual([true, undefined]);
    expect(validator.version).toBe('3.1');
    // What the schema of OpenAPI does not say: a reference leads somewhere, and names are one operation's.
    const { paths, components } = description;
    const text = JSON.stringify(description);
    const named = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
    expect([...new Set(named)].filter((name) => !(name in components.schemas))).toEqual([]);
    expect(Object.keys(components.schemas).filter((name) => !named.includes(name))).toEqual([]);
    const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('has schemas that are strict JSON Schema 2020-12', async () => {
    const { paths, components } = await describeApi();
    for (const operations of Object.values(paths)) {
      for (const { responses } of Object.values(operations)) {
        for (const { content = {} } of Object.values(responses)) {
          for (const { schema } of Object.values(content))
            if (schema) expect(() => validatorOf(schema, components)).not.toThrow();
        }
      }
    }
  });
});

describe('whatever is asked', () => {
  it.each([1, 2, 3, 4])('is answered as openapi.json says, and breaks nothing (seed %i)', async (seed) => {
    const scene = await startWeb({
      storage: new MemoryStorage(),
      keepResults: 60_000,
      policies: { dead: { retries: 0 } },
    });
    const asker = new Asker(scene, new Random(seed));
    await asker.prepare();
    for (let number = 0; number < 400; number++) await asker.ask();
    expect(scene.log.filter((line) => /^(error|warn)/.test(line))).toEqual([]);
    expect((await scene.json('GET', '/v1/me')).status).toBe(200);
  });
});

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const NAMES = [
  'f',
  'dead',
  'a%2Fb',
  '-',
  '..',
  '%2e%2e',
  '%00',
  '%FF',
  '%0A%0D',
  'é',
  '%F0%9F%A6%84',
  'x'.repeat(600),
  '%',
  '*',
  '',
];
const VALUES = [
  ...NAMES,
  '1',
  '0',
  '-1',
  '1.5',
  '1e3',
  'NaN',
  '99999999999999999999',
  'high',
  '10s',
  '5min',
  'failed',
  '2030-01-01',
  'functions',
  'age>5m',
  'hex:00',
  'a.b:1',
  'Zv8',
  '!!',
];
const BODIES = [
  '',
  'x',
  '{}',
  '[]',
  'null',
  '{',
  '"x"',
  '\xff\xfe',
  '{"jobs":[]}',
  '{"jobs":[{"function":"f","text":"x"},7]}',
  '{"high":1,"normal":2,"low":3}',
  '{"high":"x"}',
  '{"function":"f","every":60000}',
  '{"function":"f","cron":"* * * * *","timeZone":"Nowhere/None"}',
  '{"function":"f","q":"x","limit":2}',
  '{"limit":-1}',
  '[[[[[[]]]]]]',
  '{"__proto__":{"x":1}}',
];
const HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Type', 'application/json'],
  ['Content-Type', 'text/plain; charset=utf-16'],
  ['Content-Encoding', 'gzip'],
  ['Accept', 'text/event-stream'],
  ['Accept', 'application/xml;q=0.1'],
  ['Accept-Encoding', 'gzip'],
  ['Idempotency-Key', 'k'],
  ['Idempotency-Key', 'x'.repeat(100)],
  ['Authorization', 'Bearer x'],
  ['Authorization', 'Basic !!!'],
  ['Last-Event-ID', '\xff'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['Origin', 'null'],
  ['Host', 'evil.example'],
  ['Range', 'bytes=0-0'],
  ['Expect', '100-continue'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
];

/** Asks by chance for what there is, nearly is, and is not. */
class Asker {
  private readonly handles: string[] = ['H:none:1'];
  private templates: string[] = [];
  private queries: string[] = [];

  constructor(
    private readonly scene: WebScene,
    private readonly random: Random,
  ) {}

  async prepare(): Promise<void> {
    const { paths } = await describeApi();
    this.templates = Object.keys(paths);
    const parameters = JSON.stringify(paths).matchAll(/"name":"(\w+)","in":"query"/g);
    this.queries = [...new Set([...parameters].map(([, name]) => name!))].filter((name) => name !== 'server');
    for (const text of ['waiting', 'dead']) {
      const { body } = await this.scene.json('POST', `/v1/functions/${text}/jobs`, { body: text });
      this.handles.push(body.handle);
    }
    const worker = this.scene.peer();
    worker.send('CAN_DO dead', 'GRAB_JOB');
    const [, handle] = /^JOB_ASSIGN ([^·]+)/.exec(await worker.next())!;
    worker.send(`WORK_EXCEPTION ${handle}·boom`);
  }

  async ask(): Promise<void> {
    const { random } = this;
    const method = random.pick(METHODS);
    const path = this.path();
    const headers = Object.fromEntries(Array.from({ length: random.below(3) }, () => random.pick(HEADERS)));
    const body = method === 'GET' || method === 'HEAD' ? '' : random.pick(BODIES);
    const answered = await this.answer(method, path, { Host: 'localhost', ...headers }, Buffer.from(body, 'latin1'));
    if (!answered) return;
    // 500 says that nobody foresaw this.
    if (answered.status === 500)
      throw new Error(`${method} ${path} ${JSON.stringify(headers)} ${body}: ${answered.body}`);
    await mustFit(method, path, answered);
  }

  private path(): string {
    const { random } = this;
    const path = random
      .pick(this.templates)
      .replace('{handle}', () => random.pick(this.handles))
      .replaceAll(/\{\w+\}/g, () => encodable(random.pick(NAMES)));
    const query = Array.from(
      { length: random.below(4) },
      () => `${random.pick(this.queries)}=${encodable(random.pick(VALUES))}`,
    );
    const odd = random.below(20) === 0 ? `${path}/${encodable(random.pick(NAMES))}` : path;
    return query.length > 0 ? `${odd}?${query.join('&')}` : odd;
  }

  /** What is answered; the beginning of what does not end by itself. Undefined: Node answered itself. */
  private answer(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: Buffer,
  ): Promise<Answered | undefined> {
    return new Promise((resolve, reject) => {
      const asked = httpRequest({
        host: '127.0.0.1',
        port: this.scene.port,
        method,
        path,
        headers: { ...headers, 'Content-Length': body.length },
        agent: false,
      });
      let hasAnswer = false;
      // A job that nobody runs is given up, as whoever submitted it does.
      const timer = setTimeout(() => asked.destroy(), 200);
      asked.on('error', (error) =>
        hasAnswer ? undefined : /hang up/.test(error.message) ? resolve(undefined) : reject(error),
      );
      asked.on('response', (response) => {
        hasAnswer = true;
        const parts: Buffer[] = [];
        const done = (): void => {
          clearTimeout(timer);
          const { headers, statusCode, complete } = response;
          const isEvents = headers['content-type'] === 'text/event-stream';
          // Node's own answer, or one that was cut off.
          if (headers['x-content-type-options'] === undefined || !(complete || isEvents)) return resolve(undefined);
          const bytes = Buffer.concat(parts);
          const isPacked = headers['content-encoding'] === 'gzip' && bytes.length > 0 && !isEvents;
          const text = (isPacked ? gunzipSync(bytes) : bytes).toString();
          resolve({ status: statusCode!, headers: new Headers(headers as Record<string, string>), body: text });
        };
        response
          .on('data', (part: Buffer) => parts.push(part))
          .once('close', done)
          .on('error', () => undefined);
      });
      asked.end(body);
    });
  }
}

/** Percent-encodes what a request's line cannot have, and nothing else. */
function encodable(text: string): string {
  return text.replace(/[^!-~]+/g, encodeURIComponent).replaceAll(/[#<>"]/g, encodeURIComponent);
}
