import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
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
  else console.log(whatToTryNext(app.get(GearmanJobServer).addresses.join(', ')));
}

function whatToTryNext(address: string): string {
  return `
The job server listens on ${address}, and "reverse" is a NestJS handler. From another terminal:

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
