import { Inject } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { FunctionContract } from './function-contract.js';
import { GearmanClient } from './gearman.client.js';
import { GEARMAN_TRANSPORT } from './gearman.transport.js';
import { checkHandlerOptionNames, type GearmanHandlerOptions } from './handler-options.js';

/** The types that a handler may return for a result of this type. */
export type HandlerResult<Out> = Out | Promise<Out> | Observable<Out> | Promise<Observable<Out>>;

/** A handler of a contract: first the payload, then the parameters that `@Ctx()` and others inject. */
export type ContractHandler<In, Out> = (payload: In, ...injected: never[]) => HandlerResult<Out>;

/** A decorator for methods of one type only. */
export type TypedMethodDecorator<Method> = <T extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/**
 * Makes a method the handler of a Gearman function. It is `@MessagePattern`
 * for this transport only, with options whose types are checked.
 *
 * With a contract of `defineFunction` the types of the method's payload (its
 * first parameter) and result are checked as well. As everywhere in Nest, the
 * payload needs `@Payload()` as soon as another parameter has a decorator.
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
 * run. It is `@EventPattern` for this transport only, with options whose types
 * are checked. With a contract of `defineFunction` the payload's type is checked too.
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
  checkHandlerOptionNames(options, String(fn));
  return fn instanceof FunctionContract ? { ...fn.options, ...options } : options;
}

/** The injection token of a client: for the name it has in `GearmanModule`, or else the class itself. */
export function getGearmanClientToken(name?: string): string | typeof GearmanClient {
  return name === undefined ? GearmanClient : `GearmanClient:${name}`;
}

/** Injects the client that has this name in `GearmanModule`; without a name, the client that its class injects too. */
export function InjectGearmanClient(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getGearmanClientToken(name));
}
