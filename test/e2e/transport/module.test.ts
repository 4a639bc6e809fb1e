import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, Module, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { ClientProxy, ClientsModule, MessagePattern } from '@nestjs/microservices';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  GearmanClient,
  GearmanHealthIndicator,
  GearmanModule,
  GearmanStrategy,
  GEARMAN_TRANSPORT,
  getGearmanClientToken,
  InjectGearmanClient,
  type GearmanClientOptions,
  type GearmanOptionsFactory,
} from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { startOurs } from '../../support/job-servers.js';
import { RecordingLogger, serve } from '../../support/nest-app.js';
import { atEnd } from '../../support/cleanup.js';

const server = await startOurs();
const nowhere = { servers: { name: 'nowhere', connect: () => server.connect() } };

@Controller()
class Greeter {
  @MessagePattern('greet')
  greet(name: string): string {
    return `Hello ${name}!`;
  }
}
await serve({ servers: server, controllers: [Greeter] });

/** A module with these imports; it is closed at the latest when the test file is over. */
async function compile(metadata: ModuleMetadata): Promise<TestingModule> {
  const module = await Test.createTestingModule(metadata).setLogger(new RecordingLogger()).compile();
  atEnd(() => module.close());
  await module.init();
  return module;
}

const greet = (client: ClientProxy): Promise<unknown> => firstValueFrom(client.send('greet', 'world'));

@Injectable()
class Settings implements GearmanOptionsFactory {
  readonly address = server;

  createGearmanOptions(): GearmanClientOptions {
    return { servers: this.address };
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

describe('GearmanModule', () => {
  it.each<[string, ModuleMetadata['imports']]>([
    ['forRoot', [GearmanModule.forRoot({ servers: server })]],
    ['forRootAsync with a factory', [GearmanModule.forRootAsync({ useFactory: async () => ({ servers: server }) })]],
    [
      'forRootAsync with a factory that something is injected into',
      [
        GearmanModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: (settings: Settings) => ({ servers: settings.address }),
        }),
      ],
    ],
    ['forRootAsync with a class', [GearmanModule.forRootAsync({ useClass: Settings })]],
    [
      'forRootAsync with a provider that exists',
      [GearmanModule.forRootAsync({ imports: [SettingsModule], useExisting: Settings })],
    ],
  ])('provides a client by %s', async (_, imports) => {
    @Injectable()
    class Service {
      constructor(readonly client: GearmanClient) {}
    }
    const module = await compile({ imports, providers: [Service] });
    const { client } = module.get(Service);
    expect(client).toBeInstanceOf(GearmanClient);
    await expect(greet(client)).resolves.toBe('Hello world!');
  });

  it('provides several clients, each by its name', async () => {
    @Injectable()
    class Service {
      constructor(
        readonly unnamed: GearmanClient,
        @InjectGearmanClient('reports') readonly reports: GearmanClient,
        @InjectGearmanClient('mails') readonly mails: GearmanClient,
      ) {}
    }
    const module = await compile({
      imports: [
        GearmanModule.forRoot({ servers: server }),
        GearmanModule.forRoot({ ...nowhere, name: 'reports' }),
        GearmanModule.forRootAsync({ name: 'mails', useFactory: () => ({ servers: server, prefix: 'mails.' }) }),
      ],
      providers: [Service],
    });
    const { unnamed, reports, mails } = module.get(Service);
    expect(new Set([unnamed, reports, mails]).size).toBe(3);
    await reports.connect();
    expect(reports.health()).toEqual({ servers: ['nowhere'], away: [] });
    expect(module.get(getGearmanClientToken('reports'), { strict: false })).toBe(reports);
  });

  it('provides its client to every module where it is global', async () => {
    @Injectable()
    class Service {
      constructor(readonly client: GearmanClient) {}
    }
    @Module({ providers: [Service] })
    class Elsewhere {}
    const module = await compile({ imports: [GearmanModule.forRoot({ servers: server, isGlobal: true }), Elsewhere] });
    await expect(greet(module.get(Service, { strict: false }).client)).resolves.toBe('Hello world!');
  });

  it('refuses at start an option that cannot be', async () => {
    const compiling = compile({ imports: [GearmanModule.forRoot({ format: 'yaml' as 'json' })] });
    await expect(compiling).rejects.toMatchObject({ code: 'GEARMAN_INVALID_OPTION', option: 'format' });
  });

  it('closes its client with the application', async () => {
    const module = await compile({ imports: [GearmanModule.forRoot({ servers: server })] });
    const client = module.get(GearmanClient, { strict: false });
    const waiting = firstValueFrom(client.send('nobody-serves-this', 0));
    const outcome = Promise.allSettled([waiting]);
    await client.unwrap().echo('');
    await module.close();
    await expect(outcome).resolves.toMatchObject([{ reason: { code: 'GEARMAN_CLOSED' } }]);
  });

  it('provides a health indicator of its client', async () => {
    const module = await compile({ imports: [GearmanModule.forRoot({ servers: server })] });
    const indicator = module.get(GearmanHealthIndicator, { strict: false });
    await expect(indicator.check()).resolves.toEqual({ gearman: { status: 'up', servers: ['embedded'], away: [] } });
  });
});

describe("Nest's ClientsModule", () => {
  it('makes a client of the custom class, and closes it with the application', async () => {
    const module = await compile({
      imports: [
        ClientsModule.register([{ name: 'GREETER', customClass: GearmanClient, options: { servers: server } }]),
      ],
    });
    const client = module.get<GearmanClient>('GREETER');
    expect(client).toBeInstanceOf(GearmanClient);
    await expect(greet(client)).resolves.toBe('Hello world!');
    await module.close();
    expect(client.health()).toEqual({ servers: [], away: ['embedded'] });
  });

  it('makes one with options of a factory', async () => {
    const module = await compile({
      imports: [
        ClientsModule.registerAsync([
          { name: 'GREETER', useFactory: () => ({ customClass: GearmanClient, options: { servers: server } }) },
        ]),
      ],
    });
    await expect(greet(module.get<ClientProxy>('GREETER'))).resolves.toBe('Hello world!');
  });
});

describe('a hybrid application', () => {
  const order: string[] = [];

  @Controller()
  class Handlers {
    constructor(@Inject(GearmanClient) readonly client: GearmanClient) {}

    @MessagePattern('hybrid', GEARMAN_TRANSPORT)
    async hybrid(): Promise<string> {
      return `asked another: ${await greet(this.client)}`;
    }

    onModuleInit(): void {
      order.push('onModuleInit');
    }
  }

  async function hybrid(options: { inheritAppConfig?: boolean }, prepare: (app: INestApplication) => void) {
    const module = await Test.createTestingModule({
      imports: [GearmanModule.forRoot({ servers: server })],
      controllers: [Handlers],
    })
      .setLogger(new RecordingLogger())
      .compile();
    const app = module.createNestApplication();
    prepare(app);
    app.connectMicroservice({ strategy: new GearmanStrategy({ servers: server }) }, options);
    atEnd(() => app.close());
    return app;
  }

  it('serves before its modules are initialized, and to the end of running handlers', async () => {
    const app = await hybrid({}, () => {});
    await app.startAllMicroservices();
    order.push('started');
    await app.init();
    expect(order).toEqual(['started', 'onModuleInit']);
    const client = app.get(GearmanClient, { strict: false });
    await expect(firstValueFrom(client.send('hybrid', 0))).resolves.toBe('asked another: Hello world!');
    await app.close();
  });

  it.each([
    [true, { status: 'error', message: 'Forbidden resource' }],
    [false, undefined],
  ])('has the guards of the application where it inherits them: %p', async (inheritAppConfig, refusal) => {
    const app = await hybrid({ inheritAppConfig }, (app) => app.useGlobalGuards({ canActivate: () => false }));
    await app.startAllMicroservices();
    await app.init();
    const answer = firstValueFrom(app.get(GearmanClient, { strict: false }).send('hybrid', 0));
    await (refusal ? expect(answer).rejects.toEqual(refusal) : expect(answer).resolves.toMatch(/asked/));
    await app.close();
  });

  it('with two strategies serves all handlers by both, but for those of one transport only', async () => {
    const OTHER = Symbol('OTHER');

    @Controller()
    class Shared {
      @MessagePattern('everywhere')
      everywhere(): string {
        return 'here';
      }
      @MessagePattern('other-only', OTHER)
      other(): string {
        return 'other';
      }
    }
    const module = await Test.createTestingModule({ controllers: [Shared] })
      .setLogger(new RecordingLogger())
      .compile();
    const app = module.createNestApplication();
    const one = new GearmanStrategy({ servers: server, prefix: 'one.' });
    const other = new GearmanStrategy({ servers: server, prefix: 'other.' });
    other.setTransportId(OTHER);
    app.connectMicroservice({ strategy: one });
    app.connectMicroservice({ strategy: other });
    atEnd(() => app.close());
    await app.startAllMicroservices();
    expect([...one.getHandlers().keys()]).toEqual(['everywhere']);
    expect([...other.getHandlers().keys()]).toEqual(['everywhere', 'other-only']);
    const client = new GearmanClient({ servers: server });
    atEnd(() => client.close());
    await expect(firstValueFrom(client.send('one.everywhere', 0))).resolves.toBe('here');
    await expect(firstValueFrom(client.send('other.everywhere', 0))).resolves.toBe('here');
    await expect(firstValueFrom(client.send('other.other-only', 0))).resolves.toBe('other');
  });

  it('does not start where two handlers are for one function', async () => {
    @Controller()
    class One {
      @MessagePattern('double')
      one(): void {}
      @MessagePattern('double')
      other(): void {}
    }
    const module = await Test.createTestingModule({ controllers: [One] })
      .setLogger(new RecordingLogger())
      .compile();
    const app = module.createNestMicroservice({ strategy: new GearmanStrategy({ servers: server }) });
    await expect(app.listen()).rejects.toMatchObject({ code: 'GEARMAN_DUPLICATE_PATTERN' });
    await app.close();
  });
});
