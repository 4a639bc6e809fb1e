import type { IncomingMessage, ServerResponse } from 'node:http';
import { exactText, fromByteString, toByteString, type ByteString } from '../../protocol/index.js';
import type { Action } from '../../job-server/front/index.js';
import type { Log } from '../../job-server/log.js';
import type { Permission, Role } from '../access/grant.js';
import type { BodyLimits } from '../http/body.js';
import type { Places } from '../http/budget.js';
import { invalid, notFound, Problem } from '../problem.js';
import type { AnySource, ReadySource } from '../source.js';

/** What all calls share: how much there may be of what. */
export interface Shared {
  readonly bodies: BodyLimits;
  readonly streams: Places;
  readonly searches: Places;
  /** Where nothing of a job server of this process is told. */
  readonly log: Log;
  /** All there are, the first of which is meant where none is named. */
  readonly sources: readonly AnySource[];
  /** Made of the route table. */
  readonly description: () => object;
}

/** One request to one route, and its answer. */
export interface Call<Source = ReadySource> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** The template's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly permission: Permission;
  readonly source: Source;
  readonly shared: Shared;
  /** Aborts when the caller is gone, or the handler is closed. */
  readonly gone: AbortSignal;
}

/** A request that any source answers. */
export type AnyCall = Call<AnySource>;

/** Requires a role. @throws Problem */
export function requireRole({ permission }: Pick<Call, 'permission'>, role: Role): void {
  if (permission.may(role)) return;
  throw new Problem(403, 'forbidden', `This needs the role ${role}.`);
}

/** For what is no matter of one function. @throws Problem */
export function requireAllFunctions({ permission }: Pick<Call, 'permission'>): void {
  if (!permission.isForAll) throw new Problem(403, 'forbidden', 'This needs access to all functions.');
}

/** Asks the job server's `authorize` hook, as it is asked of Gearman's own peers. @throws Problem */
export function requireConsent(
  { source, request, permission }: Pick<AnyCall, 'source' | 'request' | 'permission'>,
  action: Action,
  name?: ByteString,
): void {
  // One elsewhere asks its own hook.
  if (!('jobServer' in source)) return;
  const { authorize, log } = source.jobServer;
  if (!authorize) return;
  const { remoteAddress: address = '-', remotePort: port } = request.socket;
  const peer = { address, admin: 'allowed' as const, ...(port !== undefined && { port }) };
  try {
    const function_ = name === undefined ? {} : { function: exactText(name) };
    if (authorize({ action, clientId: permission.name, peer, ...function_ })) return;
  } catch (error) {
    log('error', `authorize threw, which is taken for no: ${String(error)}`);
  }
  throw new Problem(403, 'access-denied', 'This job server does not allow it.');
}

/** The function a call is about, as bytes: the path's, or `function64` where the path says `-`. @throws Problem */
export function functionOf(call: Pick<Call, 'params' | 'query' | 'permission'>): ByteString {
  const encoded = call.params['function'] === '-' ? call.query.get('function64') : null;
  const name = encoded === null ? toByteString(call.params['function']!) : bytesOfBase64(encoded, 'function64');
  return permittedFunction(call, name);
}

/** @throws Problem where it can be no function, or is none of the caller's. */
export function permittedFunction({ permission }: Pick<Call, 'permission'>, name: ByteString): ByteString {
  if (name === '' || name.includes('\0')) throw invalid('function', 'a name of at least one byte, without NUL');
  if (permission.covers(fromByteString(name))) return name;
  throw new Problem(403, 'forbidden', `This needs access to the function ${fromByteString(name)}.`);
}

export function bytesOfBase64(encoded: string, name: string): ByteString {
  if (!/^[\w-]*={0,2}$/.test(encoded)) throw invalid(name, 'bytes in base64url');
  return Buffer.from(encoded, 'base64url').toString('latin1');
}

/** A job of the caller's, by its handle: others are as unknown as those that never were. @throws Problem */
export function requireKnown<Found extends { function: string }>(
  { permission, params }: Pick<Call, 'permission' | 'params'>,
  found: Found | undefined,
): Found {
  if (found && permission.covers(found.function)) return found;
  throw notFound(`job ${params['handle']}`);
}

/** A whole number of the query. @throws Problem */
export function numberOf(
  { query }: Pick<Call, 'query'>,
  name: string,
  least: number,
  most: number,
  usual: number,
): number {
  const text = query.get(name);
  const value = text === null || text === '' ? usual : Number(text);
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw invalid(name, `a number from ${least} to ${most}`);
}

/** Where a page begins. @throws Problem */
export function cursorOf({ query }: Pick<Call, 'query'>): number {
  const text = query.get('cursor') ?? '0';
  if (!/^\d{1,15}$/.test(text)) throw invalid('cursor', 'the next of the page before');
  return Number(text);
}

/** Logs a change and tells it as the event `audit`. */
export function audit(
  { source, permission, request, shared }: AnyCall,
  action: string,
  target: string,
  count = 1,
): void {
  const address = request.socket.remoteAddress ?? '-';
  const log = 'jobServer' in source ? source.jobServer.log : shared.log;
  log('info', `web: ${permission.name} (${address}): ${action} ${target}: ${count}`);
  if ('jobServer' in source)
    source.jobServer.events.emit('audit', { who: permission.name, action, target, count, address });
}
