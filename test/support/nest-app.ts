import type { INestMicroservice, LoggerService, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { GearmanClient, GearmanStrategy, type GearmanClientOptions, type GearmanStrategyOptions } from 'nestjs-gearman';
import { atEnd } from './cleanup.js';

/** Keeps what an application logs. */
export class RecordingLogger implements LoggerService {
  readonly lines: { level: string; message: string }[] = [];
  log = this.at('log');
  error = this.at('error');
  warn = this.at('warn');
  debug = this.at('debug');
  verbose = this.at('verbose');
  fatal = this.at('fatal');

  /** The messages of these levels. */
  of(...levels: string[]): string[] {
    return this.lines.filter(({ level }) => levels.includes(level)).map(({ message }) => message);
  }

  private at(level: string) {
    return (message: unknown): void => {
      this.lines.push({ level, message: message instanceof Error ? message.message : String(message) });
    };
  }
}

/** The options of {@link serve}. */
export interface ServedApp extends GearmanStrategyOptions {
  controllers: Type[];
  providers?: Provider[];
  imports?: ModuleMetadata['imports'];
  /** Called before handlers are registered, to add global guards, pipes and the like. */
  prepare?(app: INestMicroservice): void;
}

/** A Nest microservice that listens, with its strategy and its log. */
export interface RunningApp {
  readonly app: INestMicroservice;
  readonly strategy: GearmanStrategy;
  readonly log: RecordingLogger;
}

/** Runs a Nest microservice with a {@link GearmanStrategy}; it closes at the latest when the test file is over. */
export async function serve({ controllers, providers, imports, prepare, ...options }: ServedApp): Promise<RunningApp> {
  const log = new RecordingLogger();
  const builder = Test.createTestingModule({ controllers, providers, imports }).setLogger(log);
  const strategy = new GearmanStrategy(options);
  const app = (await builder.compile()).createNestMicroservice({ strategy });
  prepare?.(app);
  atEnd(() => app.close());
  await app.listen();
  return { app, strategy, log };
}

/** A client; it closes at the latest when the test file is over. */
export function clientOf(options: GearmanClientOptions): GearmanClient {
  const client = new GearmanClient(options);
  atEnd(() => client.close());
  return client;
}
