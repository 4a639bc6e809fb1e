import { Module, type DynamicModule } from '@nestjs/common';
import { GearmanJobServer } from '../job-server/index.js';
import { GearmanClient, type GearmanClientOptions } from '../transport/index.js';
import { TestJobServer, type TestJobServerOptions } from './test-job-server.js';

/** Options of {@link GearmanTestingModule.forRoot}. */
export interface GearmanTestingModuleOptions {
  /** Options of the client that the module provides. */
  client?: Omit<GearmanClientOptions, 'servers'>;
  /** Options of the job server. */
  jobServer?: TestJobServerOptions;
}

/**
 * A job server and a client for `Test.createTestingModule`, injectable in
 * every module: {@link TestJobServer} (also as `GearmanJobServer`) and
 * `GearmanClient`. Closing the app closes both.
 *
 * ```ts
 * const module = await Test.createTestingModule({
 *   imports: [GearmanTestingModule.forRoot({ client: { format: 'text' } })],
 *   controllers: [ReverseController],
 *   providers: [ReverseService],
 * }).compile();
 * const jobServer = module.get(TestJobServer);
 * const app = module.createNestMicroservice({ strategy: jobServer.strategy({ format: 'text' }) });
 * await app.listen();
 * ```
 */
@Module({})
export class GearmanTestingModule {
  static forRoot({ client, jobServer }: GearmanTestingModuleOptions = {}): DynamicModule {
    return {
      module: GearmanTestingModule,
      global: true,
      providers: [
        { provide: TestJobServer, useFactory: () => new TestJobServer(jobServer) },
        { provide: GearmanJobServer, useExisting: TestJobServer },
        {
          provide: GearmanClient,
          useFactory: (server: TestJobServer) => server.client(client),
          inject: [TestJobServer],
        },
      ],
      exports: [TestJobServer, GearmanJobServer, GearmanClient],
    };
  }
}
