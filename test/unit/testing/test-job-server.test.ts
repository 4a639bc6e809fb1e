import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Test, type TestingModule } from '@nestjs/testing';
import { defineFunction, GearmanClient, GearmanModule } from 'nestjs-gearman';
import { GearmanJobServer, GearmanJobServerModule } from 'nestjs-gearman/job-server';
import { GearmanTestingModule, TestJobServer } from 'nestjs-gearman/testing';
import { firstValueFrom } from 'rxjs';
import { RecordingLogger } from '../../support/nest-app.js';
import { PATIENT } from '../../support/patience.js';
import { Texts, TextService } from './texts.js';

@Controller()
class Failing {
  @MessagePattern('fail')
  fail(): never {
    throw new Error('no');
  }
}

const reverse = defineFunction<string, string>('reverse', { format: 'text' });

describe('TestJobServer', () => {
  let jobServer: TestJobServer;
  let app: INestMicroservice;

  beforeEach(async () => {
    jobServer = new TestJobServer();
    const module = await Test.createTestingModule({ controllers: [Texts, Failing] })
      .setLogger(new RecordingLogger())
      .compile();
    app = module.createNestMicroservice({ strategy: jobServer.strategy({ format: 'text', gracePeriod: 100 }) });
  });
  afterEach(() => jobServer.close());

  it('runs real jobs without a port', async () => {
    await app.listen();
    expect(jobServer.addresses).toEqual([]);
    await expect(firstValueFrom(jobServer.client().send(reverse, 'Hello world!'))).resolves.toBe('!dlrow olleH');
  });

  it('tells when a function has its workers', async () => {
    await expect(jobServer.untilWorkers(reverse, 1, { within: 1 })).rejects.toThrow('until reverse has 1 workers');
    await Promise.all([
      app.listen(),
      jobServer.untilWorkers('reverse', 1, PATIENT),
      jobServer.untilWorkers('print', 1, PATIENT),
    ]);
    await expect(jobServer.untilWorkers('reverse', 2, { within: 1 })).rejects.toThrow('until reverse has 2 workers');
  });

  it('tells when a job waits, when it has ended and how, and when none is left', async () => {
    const client = jobServer.client({ format: 'text' });
    const job = await firstValueFrom(client.emit('reverse', 'abc'));
    await jobServer.untilJobs('reverse', 1, PATIENT);
    await expect(jobServer.untilJobs('reverse', 2, { within: 1 })).rejects.toThrow('until reverse has 2 jobs');
    await expect(jobServer.untilEmpty('reverse', { within: 1 })).rejects.toThrow('until reverse has no job');
    await expect(jobServer.untilEmpty(undefined, { within: 1 })).rejects.toThrow('until the job server has no job');
    await expect(jobServer.untilEnded(job, { within: 1 })).rejects.toThrow(`until the job ${job.handle} has ended`);
    await jobServer.untilEmpty('print', PATIENT);

    await app.listen();
    await expect(jobServer.untilEnded(job, PATIENT)).resolves.toBe('completed');
    const failing = await firstValueFrom(client.emit('fail', ''));
    await expect(jobServer.untilEnded(failing, PATIENT)).resolves.toBe('failed');
    await jobServer.untilEmpty(undefined, PATIENT);

    const cancelled = await firstValueFrom(client.emit('nobody', ''));
    await jobServer.cancel(cancelled.handle);
    await expect(jobServer.untilEnded(cancelled, PATIENT)).resolves.toBe('cancelled');
  });

  it('is apart from every other', async () => {
    await using other = new TestJobServer();
    await firstValueFrom(other.client().emit('reverse', 'abc'));
    await other.untilJobs('reverse', 1, PATIENT);
    expect(jobServer.functions()).toEqual([]);
  });

  it('closes the clients and strategies it made', async () => {
    await app.listen();
    const client = jobServer.client({ format: 'text' });
    const pending = firstValueFrom(client.send('nobody', ''));
    await jobServer.untilJobs('nobody', 1, PATIENT);
    await Promise.all([expect(pending).rejects.toMatchObject({ code: 'GEARMAN_CLOSED' }), jobServer.close()]);
    expect(client.health().servers).toEqual([]);
    await jobServer.close();
  });
});

describe('TestJobServer in a testing module', () => {
  let module: TestingModule;
  let app: INestMicroservice;
  afterEach(() => app.close());

  async function listen(): Promise<void> {
    app = module.createNestMicroservice({ strategy: module.get(TestJobServer).strategy({ format: 'text' }) });
    await app.listen();
  }

  it('comes with a client by GearmanTestingModule, and closes with the app', async () => {
    module = await Test.createTestingModule({
      imports: [GearmanTestingModule.forRoot({ client: { format: 'text' } })],
      controllers: [Texts],
      providers: [TextService],
    }).compile();
    await listen();
    const service = module.get(TextService);
    await expect(service.reverse('Hello world!')).resolves.toBe('!dlrow olleH');

    const jobServer = module.get(TestJobServer);
    await expect(jobServer.untilEnded({ handle: await service.print('abc') }, PATIENT)).resolves.toBe('completed');
    expect(module.get(Texts).printed).toEqual(['abc']);

    await app.close();
    expect(module.get(GearmanClient).health().servers).toEqual([]);
    expect(jobServer.workers()).toEqual([]);
  });

  it('takes the place of a job server that the app embeds', async () => {
    module = await Test.createTestingModule({
      imports: [
        GearmanJobServerModule.forRoot({ listeners: [{ host: 'no.such.host.invalid' }], isGlobal: true }),
        GearmanModule.forRootAsync({
          useFactory: (servers: GearmanJobServer) => ({ servers, format: 'text' }),
          inject: [GearmanJobServer],
        }),
      ],
      controllers: [Texts],
      providers: [TextService, { provide: TestJobServer, useExisting: GearmanJobServer }],
    })
      .overrideProvider(GearmanJobServer)
      .useClass(TestJobServer)
      .compile();
    await listen();
    await expect(module.get(TextService).reverse('abc')).resolves.toBe('cba');
    expect(module.get(TestJobServer).addresses).toEqual([]);
  });

  it('is a provider on its own as well', async () => {
    module = await Test.createTestingModule({ controllers: [Texts], providers: [TestJobServer] }).compile();
    await listen();
    const client = module.get(TestJobServer).client({ format: 'text' });
    await expect(firstValueFrom(client.send('reverse', 'abc'))).resolves.toBe('cba');
  });

  it('takes the place of job servers elsewhere, by its client', async () => {
    const jobServer = new TestJobServer();
    module = await Test.createTestingModule({
      imports: [GearmanModule.forRoot({ servers: 'no.such.host.invalid' })],
      controllers: [Texts],
      providers: [TextService, { provide: TestJobServer, useValue: jobServer }],
    })
      .overrideProvider(GearmanClient)
      .useValue(jobServer.client({ format: 'text' }))
      .compile();
    await listen();
    await expect(module.get(TextService).reverse('abc')).resolves.toBe('cba');
  });
});
