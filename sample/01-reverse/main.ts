import 'reflect-metadata';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { createWebHandler } from 'nestjs-gearman/web';
import { AppModule } from './app.module.js';
import { ReverseService } from './reverse.service.js';

const isOnce = process.argv.includes('--once');
const port = isOnce ? 0 : Number(process.env.GEARMAN_PORT ?? 4730);

async function main(): Promise<void> {
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule.onPort(port), {
    logger: ['error', 'warn'],
    abortOnError: false,
    useFactory: (jobServer: GearmanJobServer) => ({
      strategy: new GearmanStrategy({ servers: jobServer, format: 'text' }),
    }),
    inject: [GearmanJobServer],
  });
  app.enableShutdownHooks();
  await app.listen();
  console.log(await app.get(ReverseService).reverse('Hello world!'));
  if (isOnce) await app.close();
  else {
    const jobServer = app.get(GearmanJobServer);
    console.log(whatToTryNext(jobServer.addresses.join(', '), await openPage(jobServer)));
  }
}

/** Serves the job server's page to browsers on this machine: on port 4780, or on any free one if that is in use. */
async function openPage(jobServer: GearmanJobServer): Promise<string> {
  const page = createServer(createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' }));
  await new Promise<void>((resolve) => {
    page.once('error', () => page.listen(0, '127.0.0.1'));
    page.listen(Number(process.env.WEB_PORT ?? 4780), '127.0.0.1');
    page.once('listening', resolve);
  });
  return `http://127.0.0.1:${(page.address() as AddressInfo).port}/`;
}

function whatToTryNext(address: string, page: string): string {
  return `
The job server listens on ${address}, and "reverse" is a NestJS handler.
Its dashboard is at ${page}  From another terminal:

  npx nestjs-gearman submit reverse 'Hello world!'
  printf 'Hello world!' | gearman -f reverse            (Debian: apt install gearman-tools)
  php -r '$c = new GearmanClient(); $c->addServer(); echo $c->doNormal("reverse", "Hello world!");'
                                                        (Debian: apt install php-cli php-gearman)
  npx nestjs-gearman status

Ctrl-C ends it.`;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
