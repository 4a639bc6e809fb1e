import {
  Controller,
  Get,
  Module,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { GearmanMetrics, GearmanMetricsModule, METRIC_SOURCE } from 'nestjs-gearman/telemetry';
import { GearmanWebModule } from 'nestjs-gearman/web';
import { map } from 'rxjs';
import { atEnd } from '../../support/cleanup.js';
import { until } from '../../support/until.js';
import { FAMILIES, sourceOf } from '../../unit/telemetry/families.js';

/** Lets in who says the word. */
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-word'] === 'sesame';
  }
}

@Controller()
class Pages {
  @Get('page')
  page(): string {
    return 'page';
  }
}

/** What an app is made of, beside what all of them have. */
interface Started {
  adapter: FastifyAdapter | undefined;
  path?: string | false;
  guards?: boolean;
  imports?: ModuleMetadata['imports'] & object;
}

/** An app with a source among its providers, a provider that only looks like one, and an interceptor that wraps every answer. */
async function start({ adapter, path, guards = false, imports = [] }: Started): Promise<INestApplication> {
  @Module({
    imports: [GearmanMetricsModule.forRoot({ path }), ...imports],
    controllers: [Pages],
    providers: [
      { provide: 'source', useValue: { ...sourceOf([FAMILIES[1]!]), [METRIC_SOURCE]: true } },
      { provide: 'another', useValue: sourceOf([FAMILIES[2]!]) },
      { provide: APP_INTERCEPTOR, useValue: { intercept: wrapped } },
      ...(guards ? [{ provide: APP_GUARD, useClass: Guard }] : []),
    ],
  })
  class AppModule {}
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = adapter
    ? testing.createNestApplication<NestFastifyApplication>(adapter, { logger: false })
    : testing.createNestApplication({ logger: false });
  app.setGlobalPrefix('internal');
  await app.listen(0, '127.0.0.1');
  atEnd(() => app.close());
  return app;
}

function wrapped(_context: ExecutionContext, next: { handle(): ReturnType<typeof import('rxjs').of> }): unknown {
  return next.handle().pipe(map((data) => ({ data })));
}

async function get(app: INestApplication, path: string, headers = {}): Promise<Response> {
  return fetch(`${await app.getUrl()}${path}`, { headers });
}

const CONNECTIONS = `# HELP gearman_connections Open\\nconnections \\\\.
# TYPE gearman_connections gauge
gearman_connections 2.5
`;

describe.each([
  ['Express', () => undefined],
  ['Fastify', () => new FastifyAdapter()],
])('GearmanMetricsModule on %s', (_name, adapter) => {
  it('serves what the providers of the app and added sources tell, behind the global prefix, as it is', async () => {
    const app = await start({ adapter: adapter() });
    const response = await get(app, '/internal/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe(CONNECTIONS);
    expect(await (await get(app, '/internal/page')).json()).toEqual({ data: 'page' });
    const source = sourceOf([FAMILIES[0]!]);
    app.get(GearmanMetrics).add(source).add(source);
    expect(await (await get(app, '/internal/metrics')).text()).toContain(
      'gearman_jobs_completed_total{function="reverse"} 3',
    );
  });

  it('is behind the guards of the app', async () => {
    const app = await start({ adapter: adapter(), path: 'numbers', guards: true });
    expect((await get(app, '/internal/numbers')).status).toBe(403);
    expect((await get(app, '/internal/numbers', { 'x-word': 'sesame' })).status).toBe(200);
  });

  it('has no route with `path: false`, and still tells who asks', async () => {
    const app = await start({ adapter: adapter(), path: false });
    expect((await get(app, '/internal/metrics')).status).toBe(404);
    expect(app.get(GearmanMetrics).text()).toBe(CONNECTIONS);
  });

  it('tells of the app’s job server, and of what was asked over HTTP', async () => {
    const imports = [GearmanJobServerModule.forRoot({ listeners: [] }), GearmanWebModule.forRoot({ access: 'open' })];
    const app = await start({ adapter: adapter(), imports });
    expect((await get(app, '/internal/gearman/v1/functions')).status).toBe(200);
    await until('it is counted', () =>
      app
        .get(GearmanMetrics)
        .text()
        .includes('gearman_http_requests_total{method="GET",route="/v1/functions",status="200"} 1\n'),
    );
    const text = await (await get(app, '/internal/metrics')).text();
    expect(text).toContain('\ngearman_version_info{version="');
    expect(text).toContain('\ngearman_sse_clients 0\n');
  });
});
