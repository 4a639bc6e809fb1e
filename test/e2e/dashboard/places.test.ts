import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Module, type CanActivate, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { expect, it } from '@jest/globals';
import compression from 'compression';
import helmet from 'helmet';
import { map } from 'rxjs';
import type { JobClient } from '../../../lib/driver/index.js';
import { atEnd } from '../../support/cleanup.js';
import { startDashboard } from '../../support/dashboard.js';
import { startClient } from '../../support/driver-jobs.js';
import { goRound } from '../../support/page-round.js';
import { builtRoom, startPageScene } from '../../support/page-scene.js';
import { describeWith } from '../../support/peers.js';

function submitTo(client: JobClient): Promise<unknown> {
  return client.submitBackground({ function: 'mail', workload: Buffer.from('hello') });
}

/** A proxy that has the page at `/ops/gearman/`. @param isCut whether what it asks has no such beginning. */
async function startProxy(target: string, isCut: boolean): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const path = isCut ? incoming.url!.replace('/ops/gearman', '') : incoming.url!;
    const { method, headers } = incoming;
    const onward = request(target + path, { method: method!, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

@Injectable()
class AppGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-app'] === 'yes';
  }
}

/** As many an app has it: each answer within another object. */
@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: { handle(): import('rxjs').Observable<unknown> }) {
    return next.handle().pipe(map((data) => ({ data })));
  }
}

/** An app of the built modules, with all that may stand between a browser and the page. */
async function startApp(adapter: FastifyAdapter | undefined): Promise<{ origin: string; client: JobClient }> {
  const { GearmanJobServerModule, GearmanJobServer } =
    await builtRoom<typeof import('../../../lib/job-server/index.js')>('job-server');
  const { GearmanWebModule } = await builtRoom<typeof import('../../../lib/web/index.js')>('web');
  @Module({
    imports: [
      GearmanJobServerModule.forRoot({ listeners: [] }),
      GearmanWebModule.forRoot({ path: 'gearman', access: 'open' }),
    ],
    providers: [
      { provide: APP_GUARD, useClass: AppGuard },
      { provide: APP_INTERCEPTOR, useClass: Wrapping },
    ],
  })
  class AppModule {}
  const app = adapter
    ? await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: false })
    : await NestFactory.create<NestExpressApplication>(AppModule, { logger: false });
  if (!adapter) app.use(helmet(), compression());
  app.setGlobalPrefix('api/v1');
  await app.listen(0, '127.0.0.1');
  atEnd(() => app.close());
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const client = startClient({ servers: app.get(GearmanJobServer) });
  return { origin: `http://127.0.0.1:${port}`, client };
}

describeWith('chromium', 'The dashboard is the same', () => {
  it('behind a proxy that cuts its path off', async () => {
    const { origin, client } = await startDashboard();
    await goRound(await startProxy(origin, true), '/ops/gearman/', () => submitTo(client));
  });

  it('behind a proxy that keeps it, for who leaves out the slash at the end', async () => {
    const { origin, client } = await startPageScene({}, { path: 'gearman' });
    await goRound(await startProxy(origin, false), '/ops/gearman', () => submitTo(client));
  });

  it.each([
    ['Express, with helmet and compression', () => undefined],
    ['Fastify', () => new FastifyAdapter()],
  ])('in an app of Nest on %s, with a prefix, a guard and an interceptor', async (_name, adapter) => {
    const { origin, client } = await startApp(adapter());
    const path = '/api/v1/gearman/';
    const page = await fetch(origin + path, { headers: { 'x-app': 'yes' } });
    const script = /src="(.*?)"/.exec(await page.text())![1]!;
    for (const refused of ['', script, 'v1/functions', 'v1/events']) {
      expect((await fetch(origin + path + refused)).status).toBe(403);
    }
    await goRound(origin, path, () => submitTo(client), { extraHTTPHeaders: { 'x-app': 'yes' } });
  });
});
