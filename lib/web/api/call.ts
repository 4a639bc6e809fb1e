import type { IncomingMessage, ServerResponse } from 'node:http';
import { exactText, fromByteString, toByteString, type ByteString } from '../../protocol/index.js';
import { countOne, type Action } from '../../job-server/front/index.js';
import type { SharedTexts } from '../../telemetry/forms/index.js';
import type { Log } from '../../ground/index.js';
import type { Permission, Role } from '../access/grant.js';
import type { BodyLimits } from '../http/body.js';
import type { OneEach, Places } from '../http/budget.js';
import type { WebTraffic } from '../http/web-traffic.js';
import { peerAddress } from '../http/peer-address.js';
import { invalid, notFound, Problem } from '../problem.js';
import type { AnySource, ReadySource } from '../source.js';
import type { SubmitTraces } from './submit-traces.js';

/** What all calls share: the sources, the log, and the limits. */
export interface Shared {
  readonly bodies: BodyLimits;
  readonly streams: Places;
  /** One search at a time for each caller: see {@link searching}. */
  readonly searches: OneEach;
  readonly traffic: WebTraffic;
  readonly metricsTexts: SharedTexts<AnySource>;
  readonly traces: SubmitTraces;
  /** The log for everything that belongs to no job server of this process. */
  readonly log: Log;
  /** All job servers; the first is meant if a request names none. */
  readonly sources: readonly AnySource[];
  /** The openapi.json, made from the route table. */
  readonly description: () => object;
}

/** A request to a route, and its answer. */
export interface Call<Source = ReadySource> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** The values of the template's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly permission: Permission;
  readonly source: Source;
  readonly shared: Shared;
  /** Aborts when the caller is gone, or when the handler closes. */
  readonly gone: AbortSignal;
}

/** A request that every kind of source can answer. */
export type AnyCall = Call<AnySource>;

/** Requires a role. @throws Problem */
export function requireRole({ permission }: Pick<Call, 'permission'>, role: Role): void {
  if (permission.may(role)) return;
  throw new Problem(403, 'forbidden', `This needs the role ${role}.`);
}

/** Requires a grant for all functions, because the call is not about a single one. @throws Problem */
export function requireAllFunctions({ permission }: Pick<Call, 'permission'>): void {
  if (!permission.isForAll) throw new Problem(403, 'forbidden', 'This needs access to all functions.');
}

/** Asks the job server's `authorize` hook, as for Gearman's own peers. @throws Problem */
export function requireConsent(
  { source, request, permission }: Pick<AnyCall, 'source' | 'request' | 'permission'>,
  action: Action,
  name?: ByteString,
): void {
  // A job server elsewhere asks its own hook.
  if (!('jobServer' in source)) return;
  const { authorize, log, traffic } = source.jobServer;
  if (!authorize) return;
  const address = peerAddress(request);
  const { remotePort: port } = request.socket;
  const peer = { address, admin: 'allowed' as const, ...(port !== undefined && { port }) };
  const function_ = name === undefined ? {} : { function: exactText(name) };
  try {
    if (authorize({ action, clientId: permission.name, peer, ...function_ })) return;
  } catch (error) {
    log('error', `authorize threw, so the answer is no: ${String(error)}`, { peer: address, ...function_ });
  }
  countOne(traffic.denied, action);
  throw new Problem(403, 'access-denied', 'This job server does not allow it.');
}

/** The function that a call is about, as bytes: from the path, or from `function64` if the path says `-`. @throws Problem */
export function functionOf(call: Pick<Call, 'params' | 'query' | 'permission'>): ByteString {
  const encoded = call.params['function'] === '-' ? call.query.get('function64') : null;
  const name = encoded === null ? toByteString(call.params['function']!) : nameOfBase64(encoded, 'function64');
  return permittedFunction(call, name);
}

/** @throws Problem if it cannot be a function's name, or if the caller may not see it. */
export function permittedFunction({ permission }: Pick<Call, 'permission'>, name: ByteString): ByteString {
  if (name === '' || name.includes('\0')) throw invalid('function', 'a name of at least one byte, without NUL');
  if (permission.covers(fromByteString(name))) return name;
  throw new Problem(403, 'forbidden', `This needs access to the function ${fromByteString(name)}.`);
}

/** Decodes base64, also in lines and in the URL's alphabet. @throws Problem */
export function bytesOfBase64(encoded: string, name: string): Buffer {
  // Node skips characters that are no base64, which would silently change the workload.
  const [, digits] = /^([\w+/-]*)={0,2}$/.exec(encoded.replaceAll(/[\r\n]/g, '')) ?? [];
  if (digits === undefined || digits.length % 4 === 1) throw invalid(name, 'bytes in base64');
  return Buffer.from(digits, 'base64');
}

/** Decodes a name from base64url. @throws Problem */
export function nameOfBase64(encoded: string, name: string): ByteString {
  return bytesOfBase64(encoded, name).toString('latin1');
}

/** The job, if the caller may see it; another job is treated like one that never existed. @throws Problem */
export function requireKnown<Found extends { function: string }>(
  { permission, params }: Pick<Call, 'permission' | 'params'>,
  found: Found | undefined,
): Found {
  if (found && permission.covers(found.function)) return found;
  throw notFound(`job ${params['handle']}`);
}

/** Waits until the caller's previous search is over. @returns a function that ends this one. @throws Problem */
export function searching({ permission, request, shared }: AnyCall): Promise<() => void> {
  return shared.searches.borrow(`${permission.name} ${peerAddress(request)}`);
}

/** Whether the caller accepts events, to be told of progress. */
export function wantsEvents({ request }: AnyCall): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false;
}

/** A number in the query. @throws Problem */
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

/** The query's `limit`, at least 1. @throws Problem */
export function limitOf(call: Pick<Call, 'query'>, most: number, usual = 100): number {
  const limit = numberOf(call, 'limit', 1, most, usual);
  // Not a fraction: a page ends when it has exactly so many entries.
  if (Number.isInteger(limit)) return limit;
  throw invalid('limit', `a whole number from 1 to ${most}`);
}

/** The relative address of a job at the job server that was asked, for the answer to a request two segments below `/v1`. */
export function jobLocation({ query }: Pick<Call, 'query'>, handle: string): { Location: string } {
  const server = query.get('server');
  const chosen = server === null ? '' : `?server=${encodeURIComponent(server)}`;
  return { Location: `../../jobs/${encodeURIComponent(handle)}${chosen}` };
}

/** Where a page begins. @throws Problem */
export function cursorOf({ query }: Pick<Call, 'query'>): number {
  const text = query.get('cursor') ?? '0';
  if (!/^\d{1,15}$/.test(text)) throw invalid('cursor', '`next` of the previous page');
  return Number(text);
}

/** What was changed: a job, a function, or something else by its name. */
type Changed = { readonly handle: string } | { readonly function: string } | string;

/** Logs a change, and emits it as the event `audit`. */
export function audit(
  { source, permission, request, shared }: AnyCall,
  action: string,
  changed: Changed,
  count = 1,
): void {
  const { name: who } = permission;
  const address = peerAddress(request);
  const target = typeof changed === 'string' ? changed : Object.values(changed)[0]!;
  const about = typeof changed === 'string' ? {} : changed;
  const isHere = 'jobServer' in source;
  const log = isHere ? source.jobServer.log : shared.log;
  const place = isHere ? '' : ` of ${source.name}`;
  const line = `web: ${who} (${address}): ${action} ${target}${place}: ${count}`;
  log('info', line, { peer: address, who, action, count, ...about });
  if (isHere) source.jobServer.events.emit('audit', { who, action, target, count, address });
}
