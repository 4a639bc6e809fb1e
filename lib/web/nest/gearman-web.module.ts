import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  HttpException,
  Inject,
  Logger,
  Module,
  RequestMethod,
  UseGuards,
  type CanActivate,
  type DynamicModule,
  type InjectionToken,
  type MiddlewareConsumer,
  type ModuleMetadata,
  type NestModule,
  type OnModuleDestroy,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { checkOption, InvalidOptionError, type OptionRule } from '../../ground/index.js';
import { GearmanJobServer } from '../../job-server/nest/gearman-job-server.js';
import { METRIC_SOURCE, type AppMetricSource, type MetricFamily } from '../../telemetry/metrics/index.js';
import type { Access, AccessFunction } from '../access/access.js';
import type { Role } from '../access/grant.js';
import { answerProblem } from '../http/answers.js';
import { secure } from '../http/security-headers.js';
import { Problem } from '../problem.js';
import type { WebSource } from '../source.js';
import { createWebHandler, type WebHandler, type WebHandlerOptions } from '../web-handler.js';

/** A caller whom these guards let pass has a role. */
export interface GuardedAccess {
  /** Guards that run after the app's global guards. */
  guards: readonly Type<CanActivate>[];
  /** The role of a caller who passes; or a function that chooses it by the request as the guards left it. Default `operate`. */
  role?: Role | AccessFunction;
}

/** Options of {@link GearmanWebModule}. */
export interface GearmanWebModuleOptions extends Omit<WebHandlerOptions, 'access' | 'sources'> {
  /** The path behind the app's global prefix. Default `gearman`. */
  path?: string;
  /** Who may do what. The app's global guards always run first. There is no default. */
  access: Access | GuardedAccess;
  /** Default: the app's `GearmanJobServer`. */
  sources?: readonly WebSource[];
  /** Modules that provide what the guards of `access` inject. */
  imports?: ModuleMetadata['imports'];
}

/** The options that forRootAsync makes when the app's providers exist. */
export type GearmanWebModuleSettings = Omit<GearmanWebModuleOptions, 'imports' | 'path'>;

/** Options of {@link GearmanWebModule.forRootAsync}; the path has to be known before providers exist. */
export interface GearmanWebModuleAsyncOptions extends Pick<GearmanWebModuleOptions, 'path' | 'imports'> {
  /** Guards that run after the app's global ones, as in `access`. */
  guards?: readonly Type<CanActivate>[];
  /** The tokens of what `useFactory` gets. */
  inject?: readonly unknown[];
  /** Makes the options. Exactly one of this, `useClass` and `useExisting` is needed. */
  // The injected values have as many types as there are providers.
  // oxlint-disable-next-line typescript/no-explicit-any
  useFactory?: (...injected: any[]) => AsyncSettings | Promise<AsyncSettings>;
  /** A class that makes the options; this module provides it. */
  useClass?: Type<GearmanWebModuleOptionsFactory>;
  /** A provider of the app, or of `imports`, that makes the options. */
  useExisting?: InjectionToken<GearmanWebModuleOptionsFactory>;
}

/** The interface of a class for `forRootAsync({ useClass })` or `useExisting`. */
export interface GearmanWebModuleOptionsFactory {
  createGearmanWebOptions(): AsyncSettings | Promise<AsyncSettings>;
}

/** If there are guards, `access` decides which role a caller has who passes them. */
export type AsyncSettings = Omit<GearmanWebModuleSettings, 'access'> & { access: Access };

const SETTINGS = Symbol('GearmanWebModuleSettings');
const PATH = Symbol('GearmanWebModulePath');
const GATE = Symbol('GearmanWebModuleGate');

const CHOICES =
  "{ guards: [JwtGuard] }, { tokens: FILE }, { basic: [{ name, password, role }] }, a function of the request, or 'open'";

const NO_GUARDS =
  "must name a guard; where those of the whole app are enough, let access say the role of whom they let pass: () => 'operate'";

/** A class whose method guards are bound to. */
interface Gate {
  pass(request: IncomingMessage, response: ServerResponse): void;
}

type Passing = (request: IncomingMessage, response: ServerResponse, next: () => void) => Promise<unknown>;

/**
 * Serves the HTTP API of the app's job server within the app, on Express and
 * on Fastify, behind the app's global guards.
 *
 * ```ts
 * GearmanWebModule.forRoot({ path: 'gearman', access: { guards: [JwtGuard] } });
 * ```
 *
 * Guards get the raw request of `node:http`, on Fastify too.
 */
@Module({})
export class GearmanWebModule implements NestModule, OnModuleDestroy, AppMetricSource {
  /** @internal */
  readonly [METRIC_SOURCE] = true;
  private handler: WebHandler | undefined;
  private readonly logger = new Logger(GearmanWebModule.name);

  /**
   * Nest calls it.
   * @internal
   */
  constructor(
    @Inject(SETTINGS) private readonly settings: GearmanWebModuleSettings,
    @Inject(PATH) private readonly path: string,
    @Inject(GATE) private readonly gate: Type<Gate>,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
  ) {}

  /**
   * The module with these options.
   *
   * @throws InvalidOptionError without `access`.
   */
  static forRoot({ path, imports, ...settings }: GearmanWebModuleOptions): DynamicModule {
    const { access } = settings;
    if (access === undefined) throw InvalidOptionError.notAllowed('access', access, CHOICES);
    const guards = isGuarded(access) ? access.guards : [];
    if (isGuarded(access) && guards.length === 0) throw new InvalidOptionError('access.guards', NO_GUARDS);
    return moduleOf([{ provide: SETTINGS, useValue: settings }], guards, { path, imports });
  }

  /**
   * The same, with options that are made when the app's providers exist.
   *
   * @throws InvalidOptionError without exactly one of `useFactory`, `useClass` and `useExisting`.
   */
  static forRootAsync(options: GearmanWebModuleAsyncOptions): DynamicModule {
    const { path, imports, guards = [] } = options;
    return moduleOf(lateSettings(options), guards, { path, imports });
  }

  /** Nest calls it. */
  configure(consumer: MiddlewareConsumer): void {
    const { access, sources, ...rest } = this.settings;
    const handler = createWebHandler({
      ...rest,
      path: this.path,
      access: isGuarded(access) ? passedAs(access) : access,
      sources: sources ?? [{ name: 'main', jobServer: this.jobServer() }],
    });
    this.handler = handler;
    const guarded = this.guarded(handler);
    const answer: Passing = (request, response) =>
      guarded(request, response).catch((error: unknown) => {
        secure(response);
        answerProblem(response, this.problemOf(error));
      });
    const paths = [this.path, `${this.path}/{*rest}`];
    consumer.apply(answer).forRoutes(...paths.map((path) => ({ path, method: RequestMethod.ALL })));
  }

  /** Metrics of the requests over HTTP; `GearmanMetrics` finds them. */
  metrics(): MetricFamily[] {
    return this.handler?.metrics() ?? [];
  }

  /** Nest calls it: open event streams would keep the app from closing. */
  async onModuleDestroy(): Promise<void> {
    await this.handler?.close();
  }

  private guarded(handler: WebHandler): (request: IncomingMessage, response: ServerResponse) => Promise<unknown> {
    const gate = this.moduleRef.get(this.gate);
    const pass = (request: unknown, response: unknown): void =>
      handler(request as IncomingMessage, response as ServerResponse);
    const options = { guards: true, interceptors: false, filters: false };
    return this.contexts.create(
      gate as unknown as Record<string, unknown>,
      pass,
      'pass',
      undefined,
      undefined,
      undefined,
      undefined,
      options,
      'http',
    );
  }

  /** The answer for what a guard threw; unexpected errors are logged. */
  private problemOf(error: unknown): Problem {
    if (error instanceof HttpException) {
      const status = error.getStatus();
      return new Problem(status, status === 401 ? 'unauthorized' : 'forbidden', error.message);
    }
    this.logger.error(`A guard failed: ${String((error as Error).stack ?? error)}`);
    return new Problem(500, 'internal', 'A guard of this app failed; its log says why.');
  }

  private jobServer(): GearmanJobServer {
    try {
      return this.moduleRef.get(GearmanJobServer, { strict: false });
    } catch {
      throw new InvalidOptionError(
        'sources',
        'is missing, and this app has no GearmanJobServer: import GearmanJobServerModule, or name the job servers here',
      );
    }
  }
}

/** The providers for options that are made by a provider. */
function lateSettings(options: GearmanWebModuleAsyncOptions): Provider[] {
  const { inject = [], useFactory, useClass, useExisting } = options;
  const ways = [useFactory, useClass, useExisting].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new InvalidOptionError('forRootAsync', 'must have exactly one of useFactory, useClass and useExisting');
  }
  const settings = (
    make: (...injected: never[]) => AsyncSettings | Promise<AsyncSettings>,
    tokens: readonly unknown[],
  ): Provider => ({
    provide: SETTINGS,
    useFactory: async (...injected: never[]) => unguarded(await make(...injected)),
    inject: [...tokens] as never[],
  });
  if (useFactory) return [settings(useFactory, inject)];
  const made = settings((factory: GearmanWebModuleOptionsFactory) => factory.createGearmanWebOptions(), ways);
  return useClass ? [useClass, made] : [made];
}

function moduleOf(
  settings: readonly Provider[],
  guards: readonly Type<CanActivate>[],
  { path = 'gearman', imports = [] }: Pick<GearmanWebModuleOptions, 'path' | 'imports'>,
): DynamicModule {
  checkOption('path', path, MOUNT);
  const gate = gateOf(guards);
  const providers = [
    ...settings,
    gate,
    { provide: PATH, useValue: path.replaceAll(/^\/+|\/+$/g, '') },
    { provide: GATE, useValue: gate },
  ];
  return { module: GearmanWebModule, imports, providers };
}

/** The rule for the mount. The root is the app's own: mounted there, this would answer the app's other routes. */
const MOUNT: OptionRule = {
  test: (path) => typeof path === 'string' && /[^/]/.test(path),
  allowed: 'a path below the root, as gearman',
};

/** Makes a new class for each list, because Nest finds a method's guards, and what they inject, by its class. */
function gateOf(guards: readonly Type<CanActivate>[]): Type<Gate> {
  class GearmanWebGate implements Gate {
    pass(): void {}
  }
  if (guards.length > 0) UseGuards(...guards)(GearmanWebGate);
  return GearmanWebGate;
}

function isGuarded(access: Access | GuardedAccess): access is GuardedAccess {
  return typeof access === 'object' && access !== null && 'guards' in access;
}

/** Refuses guards in late options: guards are bound before providers exist, so these would never run. */
function unguarded(settings: AsyncSettings): AsyncSettings {
  if (!isGuarded(settings.access)) return settings;
  throw new InvalidOptionError(
    'access',
    'must have no guards here: name them as forRootAsync({ guards: [JwtGuard], ... }), and let access say their role',
  );
}

function passedAs({ role = 'operate' }: GuardedAccess): AccessFunction {
  return typeof role === 'function' ? role : () => role;
}
