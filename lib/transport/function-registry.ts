import type { MessageHandler } from '@nestjs/microservices';
import { GearmanError } from '../ground/index.js';
import { handlerOptionsOf, mergeHandlerOptions, type GearmanHandlerOptions } from './handler-options.js';

/** A function that the strategy serves. */
export interface ServedFunction {
  /** Its name on the job server, with the prefix. */
  readonly name: string;
  /** One `@MessagePattern`, or any number of `@EventPattern`s. */
  readonly handlers: readonly MessageHandler[];
  readonly isEvent: boolean;
  readonly options: GearmanHandlerOptions;
}

/**
 * The functions of a strategy, by name.
 *
 * Gearman gives each job to one worker and does not say whether its client
 * waits. So a function has either one message handler, or event handlers that
 * all run. Handlers that break this rule are remembered, and {@link check} tells
 * all of them at once when the application starts.
 */
export class FunctionRegistry {
  private readonly functions = new Map<string, ServedFunction>();
  private readonly problems: GearmanError[] = [];

  get size(): number {
    return this.functions.size;
  }

  [Symbol.iterator](): IterableIterator<ServedFunction> {
    return this.functions.values();
  }

  /** Adds a handler to the function whose name `nameOf` returns. If that throws, the error is remembered as a problem. */
  add(nameOf: () => string, handler: MessageHandler, isEvent: boolean, extras: GearmanHandlerOptions): void {
    try {
      const name = nameOf();
      this.functions.set(name, this.extend(name, handler, isEvent, handlerOptionsOf(extras, name)));
    } catch (error) {
      if (!(error instanceof GearmanError)) throw error;
      this.problems.push(error);
    }
  }

  /** Throws if a handler could not be added: its error, or one error that lists all of them. */
  check(): void {
    const [first] = this.problems;
    if (!first) return;
    if (this.problems.length === 1) throw first;
    throw new GearmanError(first.code, this.problems.map((problem) => problem.message).join('; '), {
      cause: new AggregateError(this.problems),
    });
  }

  private extend(
    name: string,
    handler: MessageHandler,
    isEvent: boolean,
    options: GearmanHandlerOptions,
  ): ServedFunction {
    const present = this.functions.get(name);
    if (!present) return { name, handlers: [handler], isEvent, options };
    if (!isEvent || !present.isEvent) throw duplicate(name, isEvent !== present.isEvent);
    return {
      name,
      handlers: [...present.handlers, handler],
      isEvent,
      options: mergeHandlerOptions(present.options, options, name),
    };
  }
}

function duplicate(name: string, isMixed: boolean): GearmanError {
  const problem = isMixed ? 'both message and event handlers' : 'two message handlers';
  return new GearmanError(
    'GEARMAN_DUPLICATE_PATTERN',
    `function "${name}" has ${problem}, but a job is given to only one: ` +
      'use one @MessagePattern, or only @EventPatterns, or give one of them another name or another transport',
  );
}
