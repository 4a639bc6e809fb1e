import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  Inject,
  Injectable,
  Module,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestApplicationOptions,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { GearmanJobServerModule } from 'nestjs-gearman/job-server';
import {
  GearmanWebModule,
  type GearmanWebModuleAsyncOptions,
  type GearmanWebModuleOptions,
  type GearmanWebModuleOptionsFactory,
} from 'nestjs-gearman/web';
import { atEnd } from '../../support/cleanup.js';

/** What a login knows. */
@Injectable()
class Keys {
  readonly key = 'secret';
}

/** Makes options of what is injected. */
@Injectable()
class KeyedOptions implements GearmanWebModuleOptionsFactory {
  constructor(@Inject(Keys) private readonly keys: Keys) {}

  createGearmanWebOptions() {
    return { access: () => ({ role: 'inspect' as const, name: this.keys.key }) };
  }
}

@Module({ providers: [Keys, KeyedOptions], exports: [Keys, KeyedOptions] })
class KeysModule {}

function headerOf(context: ExecutionContext, name: string): unknown {
  return context.switchToHttp().getRequest<IncomingMessage>().headers[name];
}

/** The app's own: everything needs this header. */
@Injectable()
class AppGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return headerOf(context, 'x-app') === 'yes';
  }
}

/** Asked on the API alone, and injects something. */
@Injectable()
class KeyGuard implements CanActivate {
  constructor(@Inject(Keys) private readonly keys: Keys) {}

  canActivate(context: ExecutionContext): boolean {
    return headerOf(context, 'x-key') === this.keys.key;
  }
}

const ADAPTERS = [
  ['Express', () => undefined],
  ['Fastify', () => new FastifyAdapter()],
] as const;

async function startApp(
  adapter: FastifyAdapter | undefined,
  web: GearmanWebModuleOptions,
  options: NestApplicationOptions = {},
): Promise<{ app: INestApplication; url: string }> {
  @Module({
    imports: [GearmanJobServerModule.forRoot({ listeners: [] }), GearmanWebModule.forRoot(web)],
    providers: [{ provide: APP_GUARD, useClass: AppGuard }],
  })
  class AppModule {}
  const app = adapter
    ? await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: false })
    : await NestFactory.create(AppModule, { logger: false, ...options });
  app.setGlobalPrefix('api/v1');
  await app.listen(0, '127.0.0.1');
  atEnd(() => app.close());
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { app, url: `http://127.0.0.1:${port}/api/v1/gearman` };
}

describe.each(ADAPTERS)('GearmanWebModule on %s', (_name, adapter) => {
  it('runs the global guards, then its own, and only then answers', async () => {
    const { url } = await startApp(adapter(), {
      access: { guards: [KeyGuard], role: 'submit' },
      imports: [KeysModule],
    });
    const statusOf = async (headers: Record<string, string>, path = '/v1/functions', method = 'GET'): Promise<number> =>
      (await fetch(url + path, { method, headers })).status;
    const mine = { 'x-app': 'yes', 'x-key': 'secret' };
    expect(await statusOf({})).toBe(403);
    expect(await statusOf({ 'x-key': 'secret' })).toBe(403);
    expect(await statusOf({ 'x-app': 'yes' })).toBe(403);
    expect(await statusOf(mine)).toBe(200);
    expect(await statusOf(mine, '/v1/functions/f/pause', 'POST')).toBe(403);
    expect(await statusOf(mine, '/v1/none')).toBe(404);
    const refused = await fetch(`${url}/v1/functions`);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('leads from its path to the page, in front of which anything may stand, and only behind the guards', async () => {
    const { url } = await startApp(adapter(), { access: 'open' });
    const init: RequestInit = { redirect: 'manual', headers: { 'x-app': 'yes' } };
    const response = await fetch(url, init);
    expect([response.status, response.headers.get('location')]).toEqual([307, 'gearman/']);
    expect((await fetch(`${url}/v1/me`, init)).status).toBe(200);
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(403);
  });

  it('takes bytes as they are, JSON, and names that need quoting', async () => {
    const { url } = await startApp(adapter(), { access: () => 'operate' });
    const headers = { 'x-app': 'yes', 'content-type': 'application/octet-stream' };
    const bytes = new Uint8Array(300_000).map((_, index) => index);
    const submitted = await fetch(`${url}/v1/functions/a%2Fb/jobs`, { method: 'POST', headers, body: bytes });
    expect(submitted.status).toBe(202);
    const { handle } = (await submitted.json()) as { handle: string };
    const workload = await fetch(`${url}/v1/jobs/${handle}/workload`, { headers: { 'x-app': 'yes' } });
    expect(Buffer.compare(Buffer.from(await workload.arrayBuffer()), bytes)).toBe(0);
    const batch = await fetch(`${url}/v1/jobs`, {
      method: 'POST',
      headers: { 'x-app': 'yes', 'content-type': 'application/json' },
      body: JSON.stringify({ jobs: [{ function: 'f', text: 'x' }] }),
    });
    expect(await batch.json()).toMatchObject({ jobs: [{ coalesced: false }] });
  });

  it('lets the app close while 20 watch, and waits for no timer of a second', async () => {
    const { app, url } = await startApp(adapter(), { access: () => 'operate' });
    const headers = { 'x-app': 'yes', 'content-type': 'application/octet-stream' };
    const submitted = await fetch(`${url}/v1/functions/f/jobs`, { method: 'POST', headers, body: 'x' });
    const { handle } = (await submitted.json()) as { handle: string };
    const paths = Array.from({ length: 20 }, (_, index) => (index % 2 ? `/v1/jobs/${handle}/events` : '/v1/events'));
    const watches = await Promise.all(paths.map((path) => fetch(url + path, { headers })));
    expect(watches.map(({ status }) => status)).toEqual(paths.map(() => 200));
    const closed = withoutSeconds(() => app.close());
    const texts = await Promise.all(watches.map((events) => events.text()));
    await closed;
    texts.forEach((text, index) => expect(text).toContain(index % 2 ? 'event: job' : 'event: hello'));
    const server = app.getHttpServer() as { listening: boolean };
    expect(server.listening).toBe(false);
  });

  it('logs what a guard throws that is no answer, and says that it failed', async () => {
    class Broken implements CanActivate {
      canActivate(): boolean {
        throw new TypeError('no such key');
      }
    }
    const logged: string[] = [];
    const { app, url } = await startApp(adapter(), { access: { guards: [Broken] } });
    app.useLogger({ error: (...words: unknown[]) => logged.push(words.join(' ')), log: () => {}, warn: () => {} });
    const response = await fetch(`${url}/v1/me`, { headers: { 'x-app': 'yes' } });
    expect([response.status, await response.json()]).toMatchObject([500, { code: 'internal' }]);
    expect(logged).toEqual([expect.stringMatching(/A guard failed: TypeError: no such key\n.*GearmanWebModule/s)]);
  });
});

/** Does something while no timer of a second or more goes off. */
async function withoutSeconds(act: () => Promise<unknown>): Promise<void> {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((run: () => void, time = 0) =>
    setTimeout(run, time >= 1_000 ? 2 ** 30 : time).unref()) as typeof setTimeout;
  try {
    await act();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

describe('bodies that the app has read before', () => {
  /** What the workload of a job is that was posted so. */
  async function workloadOf(url: string, type: string, body: string): Promise<string> {
    const headers = { 'x-app': 'yes', 'content-type': type };
    const response = await fetch(`${url}/v1/functions/f/jobs`, { method: 'POST', headers, body });
    const told = (await response.json()) as { handle?: string; code?: string };
    if (told.handle === undefined) return `${response.status} ${told.code}`;
    return (await fetch(`${url}/v1/jobs/${told.handle}/workload`, { headers: { 'x-app': 'yes' } })).text();
  }

  const BODIES = [
    ['application/json', '{ "a": 1 }'],
    ['text/plain', '{ "a": 1 }'],
    ['application/x-www-form-urlencoded', 'a=1'],
    ['application/octet-stream', '\0 bytes'],
  ] as const;
  const workloads = (url: string): Promise<string[]> =>
    Promise.all(BODIES.map(([type, body]) => workloadOf(url, type, body)));

  it('are sent on as they were parsed on Express, or refused where the bytes are lost', async () => {
    const { url } = await startApp(undefined, { access: () => 'operate' });
    expect(await workloads(url)).toEqual(['{"a":1}', '{ "a": 1 }', '415 body-was-parsed', '\0 bytes']);
  });

  it('are their bytes on Express with `rawBody`, and on Fastify', async () => {
    const raw = await startApp(undefined, { access: () => 'operate' }, { rawBody: true });
    const fastify = await startApp(new FastifyAdapter(), { access: () => 'operate' });
    for (const { url } of [raw, fastify]) expect(await workloads(url)).toEqual(BODIES.map(([, body]) => body));
  });

  it('of more than 100 kB of JSON are a stream on Fastify', async () => {
    const { url } = await startApp(new FastifyAdapter(), { access: () => 'operate' });
    const body = JSON.stringify({ text: 'x'.repeat(2_000_000) });
    expect(await workloadOf(url, 'application/json', body)).toBe(body);
  });
});

describe('GearmanWebModule.forRootAsync', () => {
  /** Starts an app whose options come of a provider. */
  async function startAsync(web: Omit<GearmanWebModuleAsyncOptions, 'inject' | 'imports'>): Promise<string> {
    @Module({
      imports: [
        GearmanJobServerModule.forRoot({ listeners: [] }),
        GearmanWebModule.forRootAsync({ imports: [KeysModule], inject: [Keys], ...web }),
      ],
    })
    class AppModule {}
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    atEnd(() => app.close());
    return app.getUrl();
  }

  it('takes its options from a provider, and runs the guards it is given', async () => {
    const url = await startAsync({
      path: '/ops/gearman/',
      guards: [KeyGuard],
      useFactory: (keys: Keys) => Promise.resolve({ access: () => ({ role: 'read', name: keys.key }) }),
    });
    const ask = (headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}/ops/gearman/v1/me`, { headers });
    expect((await ask()).status).toBe(403);
    expect(await (await ask({ 'x-key': 'secret' })).json()).toMatchObject({ role: 'read', name: 'secret' });
  });

  it.each(['useClass', 'useExisting'] as const)('takes them from a class too: %s', async (way) => {
    const url = await startAsync({ [way]: KeyedOptions });
    expect(await (await fetch(`${url}/gearman/v1/me`)).json()).toMatchObject({ role: 'inspect', name: 'secret' });
  });

  it('is told in one way, not in none and not in two', () => {
    const message = /forRootAsync: must have exactly one of useFactory, useClass and useExisting/;
    expect(() => GearmanWebModule.forRootAsync({})).toThrow(message);
    const two = { useClass: KeyedOptions, useFactory: () => ({ access: 'open' as const }) };
    expect(() => GearmanWebModule.forRootAsync(two)).toThrow(message);
  });

  it('refuses guards that come too late to be run, and options without access', async () => {
    const late = { access: { guards: [KeyGuard] } } as never;
    await expect(startAsync({ useFactory: () => late })).rejects.toThrow(
      /access: must have no guards here.*forRootAsync/,
    );
    await expect(startAsync({ useFactory: () => ({}) as never })).rejects.toThrow(/access: must be 'open'/);
  });

  it('is below the root of the app', () => {
    expect(() => GearmanWebModule.forRoot({ path: '/', access: 'open' })).toThrow(/path.*below the root/);
  });
});

it('has no default for access, and says what there is', () => {
  expect(() => GearmanWebModule.forRoot({} as never)).toThrow(/access.*guards: \[JwtGuard\]/s);
  // It would be open to everybody, and look as if it were not.
  expect(() => GearmanWebModule.forRoot({ access: { guards: [] } })).toThrow(/access.guards: must name a guard/);
});
