import {
  Controller,
  Get,
  Module,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { expect, it } from '@jest/globals';
import { GearmanMetrics, GearmanMetricsModule, METRIC_SOURCE } from 'nestjs-gearman/telemetry';
import { map } from 'rxjs';
import { atEnd } from '../support/cleanup.js';
import { FAMILIES, sourceOf } from '../unit/telemetry/families.js';

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

/** An app with a source among its providers, a provider that only looks like one, and an interceptor that wraps every answer. */
async function start(path?: string | false, guards = false): Promise<INestApplication> {
  @Module({
    imports: [GearmanMetricsModule.forRoot({ path })],
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
  const app = testing.createNestApplication({ logger: false });
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

it('serves what the providers of the app and added sources tell, behind the global prefix, as it is', async () => {
  const app = await start();
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
  const app = await start('numbers', true);
  expect((await get(app, '/internal/numbers')).status).toBe(403);
  expect((await get(app, '/internal/numbers', { 'x-word': 'sesame' })).status).toBe(200);
});

it('has no route with `path: false`, and still tells who asks', async () => {
  const app = await start(false);
  expect((await get(app, '/internal/metrics')).status).toBe(404);
  expect(app.get(GearmanMetrics).text()).toBe(CONNECTIONS);
});
