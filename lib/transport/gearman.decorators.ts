import { Inject } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { FunctionContract } from './function-contract.js';
import { GearmanClient } from './gearman.client.js';
import { GEARMAN_TRANSPORT } from './gearman.transport.js';
import type { GearmanHandlerOptions } from './handler-options.js';

/** What a handler may return for a result of this type. */
export type HandlerResult<Out> = Out | Promise<Out> | Observable<Out> | Promise<Observable<Out>>;

/** A handler of a contract: the payload first, then whatever `@Ctx()` and others inject. */
export type ContractHandler<In, Out> = (payload: In, ...injected: never[]) => HandlerResult<Out>;

/** Decorates methods of one type only. */
export type TypedMethodDecorator<Method> = <T extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/**
 * Makes a method the handler of a Gearman function: `@MessagePattern`, for
 * this transport alone, with options whose types are checked.
 *
 * With a contract of `defineFunction` the method's payload (its first
 * parameter) and result are checked as well. As everywhere in Nest, the
 * payload needs its `@Payload()` as soon as another parameter has a decorator.
 */
export function GearmanFunction<In, Out>(
  contract: FunctionContract<In, Out>,
  options?: GearmanHandlerOptions,
): TypedMethodDecorator<ContractHandler<In, Out>>;
export function GearmanFunction(name: string, options?: GearmanHandlerOptions): MethodDecorator;
export function GearmanFunction(fn: string | FunctionContract, options: GearmanHandlerOptions = {}): MethodDecorator {
  return MessagePattern(String(fn), GEARMAN_TRANSPORT, extrasOf(fn, options));
}

/**
 * Makes a method one of the event handlers of a Gearman function, which all
 * run: `@EventPattern`, for this transport alone, with options whose types are
 * checked. With a contract of `defineFunction` the payload is checked as well.
 */
export function GearmanEvent<In>(
  contract: FunctionContract<In>,
  options?: GearmanHandlerOptions,
): TypedMethodDecorator<ContractHandler<In, unknown>>;
export function GearmanEvent(name: string, options?: GearmanHandlerOptions): MethodDecorator;
export function GearmanEvent(
  fn: string | FunctionContract<never>,
  options: GearmanHandlerOptions = {},
): MethodDecorator {
  return EventPattern<string>(String(fn), GEARMAN_TRANSPORT, extrasOf(fn, options));
}

function extrasOf(fn: string | FunctionContract<never>, options: GearmanHandlerOptions): GearmanHandlerOptions {
  return fn instanceof FunctionContract ? { ...fn.options, ...options } : options;
}

/** The injection token of a client: the class itself, or a token of the name it was given in `GearmanModule`. */
export function getGearmanClientToken(name?: string): string | typeof GearmanClient {
  return name === undefined ? GearmanClient : `GearmanClient:${name}`;
}

/** Injects the client of `GearmanModule` that has this name; the unnamed one is injected by its class as well. */
export function InjectGearmanClient(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getGearmanClientToken(name));
}
