import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Controller, Injectable, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { GearmanClient, GearmanModule, GearmanStrategy } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { firstValueFrom } from 'rxjs';
import { atEnd } from '../../support/cleanup.js';
import { accepts } from '../../support/free-port.js';
import { RawPeer } from '../../support/raw-peer.js';

@Controller()
class ReverseController {
  @MessagePattern('reverse')
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }
}

/** A provider that submits a job as soon as it is initialised, before anything listens. */
@Injectable()
class EarlyCaller implements OnModuleInit, OnApplicationShutdown {
  answer: Promise<string> | undefined;
  wasServedAtShutdown = false;

  constructor(
    private readonly client: GearmanClient,
    private readonly jobServer: GearmanJobServer,
  ) {}

  onModuleInit(): void {
    this.answer = firstValueFrom(this.client.send<string>('reverse', 'early'));
  }

  onApplicationShutdown(): void {
    this.wasServedAtShutdown = this.jobServer.functions().every(({ running }) => running === 0);
  }
}

@Module({
  imports: [
    GearmanJobServerModule.forRootAsync({ useFactory: () => ({ listeners: [{ port: 0 }] }), isGlobal: true }),
    GearmanModule.forRootAsync({
      useFactory: (jobServer: GearmanJobServer) => ({ servers: jobServer }),
      inject: [GearmanJobServer],
    }),
  ],
  controllers: [ReverseController],
  providers: [EarlyCaller],
})
class AppModule {}

describe('an app that embeds job server, worker and client', () => {
  it('works as a microservice, and is gone after close()', async () => {
    const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
      logger: false,
      useFactory: (jobServer: GearmanJobServer) => ({ strategy: new GearmanStrategy({ servers: jobServer }) }),
      inject: [GearmanJobServer],
    });
    await app.listen();
    expect(await app.get(EarlyCaller).answer).toBe('ylrae');
    const jobServer = app.get(GearmanJobServer);
    expect(jobServer.functions()).toMatchObject([{ name: 'reverse', total: 0, workers: 1 }]);
    const port = jobServer.port!;
    expect(await accepts(port)).toBe(true);
    await app.close();
    expect(app.get(EarlyCaller).wasServedAtShutdown).toBe(true);
    expect(await accepts(port)).toBe(false);
  });

  it('works in a hybrid app, whose strategies listen before anything is initialised', async () => {
    const app = await NestFactory.create(AppModule, { logger: false });
    const strategy = new GearmanStrategy({ servers: app.get(GearmanJobServer) });
    app.connectMicroservice({ strategy });
    await app.startAllMicroservices();
    await app.init();
    expect(await app.get(EarlyCaller).answer).toBe('ylrae');
    const { port } = app.get(GearmanJobServer);
    await app.close();
    expect(await accepts(port!)).toBe(false);
  });

  it('ends a foreign client that waits when it closes, with the connection', async () => {
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const foreign = await RawPeer.connect({ port: app.get(GearmanJobServer).port! });
    foreign.send('SUBMIT_JOB nobody··x');
    expect(await foreign.next()).toMatch(/^JOB_CREATED/);
    app.get(EarlyCaller).answer?.catch(() => undefined);
    await app.close();
    expect(await foreign.next()).toBe('closed');
  });

  it('says why it cannot start when its port is taken', async () => {
    const first = await NestFactory.createApplicationContext(
      GearmanJobServerModule.forRoot({ listeners: [{ port: 0 }] }),
      {
        logger: false,
      },
    );
    atEnd(() => first.close());
    const { port } = first.get(GearmanJobServer);
    const second = NestFactory.createApplicationContext(GearmanJobServerModule.forRoot({ listeners: [{ port }] }), {
      logger: false,
      abortOnError: false,
    });
    await expect(second).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port}`));
  });
});

describe.each(['microservice', 'hybrid'])('SIGTERM to a %s app that embeds job server, worker and client', (kind) => {
  let lines: AsyncIterator<string>;
  let child: ReturnType<typeof spawn>;

  beforeAll(async () => {
    child = spawn(process.execPath, ['test/fixtures/embedded-app/main.mjs', kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    atEnd(() => void child.kill('SIGKILL'));
    lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  });

  const line = async (): Promise<string> => (await lines.next()).value as string;

  it('lets a running handler finish and delivers its result before the job server goes', async () => {
    expect([await line(), await line(), await line()]).toEqual(['started', 'finished', 'answered done']);
    const port = Number((await line()).slice('port '.length));
    const client = await RawPeer.connect({ port });
    client.send('SUBMIT_JOB slow··300');
    const created = await client.next();
    expect(await line()).toBe('started');
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await client.next()).toBe(`WORK_COMPLETE ${created.slice('JOB_CREATED '.length)}·done`);
    expect(await client.next()).toBe('closed');
    expect([await line(), await line()].sort()).toEqual(['finished', 'onModuleDestroy']);
    const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null];
    // Nest ends the process by the signal itself once everything is closed.
    expect([code, signal]).toEqual([null, 'SIGTERM']);
  });
});
