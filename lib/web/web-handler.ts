import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  checkNames,
  checkOption,
  InvalidOptionError,
  oneLine,
  VERSION,
  wholeNumber,
  type Log,
  type LogFields,
  type OptionRule,
} from '../ground/index.js';
import { JOB_SERVER_DEFAULTS } from '../job-server/job-server-options.js';
import { SharedTexts } from '../telemetry/forms/index.js';
import type { MetricFamily, MetricSource } from '../telemetry/metrics/index.js';
import { accessCheck, type Access, type AccessCheck } from './access/access.js';
import { Permission, type Grant } from './access/grant.js';
import { refuseOtherHosts, refuseOtherSites } from './access/origin-check.js';
import { openApi } from './api/openapi.js';
import { requireRole, type Shared } from './api/call.js';
import { metricsText } from './api/metrics.js';
import { Router, type Route } from './api/route.js';
import { ROUTES } from './api/routes.js';
import { SubmitTraces } from './api/submit-traces.js';
import { answerProblem } from './http/answers.js';
import { PageFiles } from './http/page-files.js';
import { peerAddress } from './http/peer-address.js';
import { Budget, OneEach, Places } from './http/budget.js';
import { Connections } from './http/connections.js';
import { targetOf } from './http/request-target.js';
import { secure } from './http/security-headers.js';
import { WebTraffic } from './http/web-traffic.js';
import { invalid, Problem, problemOf } from './problem.js';
import { localSource } from './local-source.js';
import { runRemote } from './remote/remote-routes.js';
import { closeRemote, remoteSource } from './remote/remote-source.js';
import type { AnySource, WebSource } from './source.js';

/** How a web handler behaves. */
export interface WebHandlerOptions {
  /** The job servers, in this process or elsewhere; the first is used if `?server=` names none. */
  sources: readonly WebSource[];
  /** Who may do what. */
  access: Access;
  /** Whether nobody may do more than `inspect`. Default false. */
  readOnly?: boolean;
  /** Where it is mounted, such as `gearman`; what a path has before that does not matter. Default: at the root. */
  path?: string;
  /** Further names of this site, such as a proxy's: a Host on a loopback port with open access, an Origin if a proxy changes the Host. */
  hosts?: readonly string[];
  /** How long a body may take to arrive, in milliseconds. Default 60,000. */
  bodyTimeout?: number;
  /** How many bytes of bodies and answers may be in memory at once. Default: four of the largest packets, at least 16 MiB. */
  maxBufferedBytes?: number;
  /** How many event streams and waits for results may be open. Default 256. */
  maxStreams?: number;
  /** The log for failures, and for changes at job servers elsewhere. Default: the log of the first job server of this process. */
  log?: Log;
}

/** Answers requests of `node:http`, and of frameworks built on it. */
export interface WebHandler extends MetricSource {
  (request: IncomingMessage, response: ServerResponse, next?: () => void): void;
  /** Reads token files again. @throws Error; the former tokens then stay. */
  reload(): void;
  /** Metrics of its requests; its job servers have metrics of their own. */
  metrics(): MetricFamily[];
  /** Ends event streams and waits; resolves when nothing is open any more. */
  close(): Promise<void>;
}

/** A request that is not answered yet, with what the log says if it fails unexpectedly. */
interface Asked {
  readonly at: number;
  /** The route, once it is known. */
  place?: string;
  readonly about: LogFields;
  /** Aborts when the client is gone, or when the handler closes. */
  readonly gone: AbortController;
  /** What the caller may do, once it is known. */
  grant?: Grant;
}

/** How many bytes may be in memory even if packets are small, because pages are not. */
const LEAST_BUFFERED = 16_777_216;

/** How many searches may go on at once. */
const MAX_SEARCHES = 4;

const OPTIONS = new Set([
  'sources',
  'access',
  'readOnly',
  'path',
  'hosts',
  'bodyTimeout',
  'maxBufferedBytes',
  'maxStreams',
  'log',
]);

const NAMES: OptionRule = {
  test: (hosts) => Array.isArray(hosts) && hosts.every((host) => typeof host === 'string'),
  allowed: 'a list of names',
};

/** The largest body for a job server elsewhere, in bytes: the largest packet of our job server by default. */
const MAX_BODY = JOB_SERVER_DEFAULTS.maxPacketBytes;

/**
 * The HTTP API of job servers, as a handler for `node:http`, Express and the like.
 *
 * ```ts
 * const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: { tokens: 'tokens' } });
 * createServer(handler).listen(4780);
 * ```
 *
 * @throws InvalidOptionError for an option that is not allowed.
 */
export function createWebHandler(options: WebHandlerOptions): WebHandler {
  const answerer = new Answerer(options);
  const handler = (request: IncomingMessage, response: ServerResponse): void => void answerer.answer(request, response);
  return Object.assign(handler, {
    reload: () => answerer.reload(),
    metrics: () => answerer.traffic.metrics(),
    close: () => answerer.close(),
  });
}

class Answerer {
  private readonly sources: readonly AnySource[];
  private readonly access: AccessCheck;
  private readonly router = new Router(ROUTES);
  private readonly page = new PageFiles();
  readonly traffic = new WebTraffic();
  private readonly shared: Shared;
  private isClosing = false;
  /** The requests without a complete answer. */
  private readonly open = new Map<ServerResponse, Asked>();
  private readonly connections = new Connections();
  private readonly log: Log;
  private readonly hosts: readonly string[];
  private readonly forgetHistory: readonly (() => void)[];

  constructor(private readonly options: WebHandlerOptions) {
    validate(options);
    this.sources = options.sources.map((source) =>
      'server' in source ? remoteSource(source) : localSource(source.name, source.jobServer),
    );
    this.access = accessCheck(options.access);
    const local = this.sources.flatMap((source) => ('jobServer' in source ? [source.jobServer] : []));
    this.log = logOf(options.log ?? local[0]?.log);
    this.hosts = (options.hosts ?? []).map((host) => host.toLowerCase());
    const maxBytes = Math.max(...local.map((jobServer) => jobServer.maxPacketBytes), local.length ? 0 : MAX_BODY);
    const { bodyTimeout = 60_000, maxStreams = 256 } = options;
    const { maxBufferedBytes = Math.max(4 * maxBytes, LEAST_BUFFERED) } = options;
    this.forgetHistory = local.map((jobServer) => jobServer.history.keep());
    const description = openApi(ROUTES, VERSION);
    this.shared = {
      bodies: { maxBytes, timeout: bodyTimeout, budget: new Budget(maxBufferedBytes) },
      streams: new Places(maxStreams, 'event streams and waits'),
      searches: new OneEach(new Places(MAX_SEARCHES, 'searches')),
      traffic: this.traffic,
      metricsTexts: new SharedTexts((source) => metricsText(source, this.traffic)),
      traces: new SubmitTraces(this.log),
      log: this.log,
      sources: this.sources,
      description: () => description,
    };
  }

  reload(): void {
    // A caller who may no longer see what an open event stream shows gets no more of it; streams may be open for days.
    const grantOf = this.access.reload();
    for (const [response, { gone, grant }] of grantOf ? this.open : []) {
      if (grant && !isSame(grant, grantOf!(response.req))) gone.abort(unknownCaller());
    }
  }

  async close(): Promise<void> {
    this.isClosing = true;
    for (const { gone } of this.open.values()) gone.abort();
    for (const forget of this.forgetHistory) forget();
    await Promise.all([...this.open.keys()].map(closed));
    const remote = this.sources.filter((source) => 'admin' in source);
    await Promise.all(remote.map(closeRemote));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The client may have left while it waited to be let in, such as by a slow guard.
    if (!(await this.connections.turn(request, response))) return;
    const gone = new AbortController();
    response.on('error', () => undefined);
    this.traffic.begin(response);
    response.once('close', () => {
      this.open.delete(response);
      gone.abort();
    });
    const asked: Asked = { at: performance.now(), about: { peer: peerAddress(request) }, gone };
    this.open.set(response, asked);
    try {
      secure(response);
      await this.route(request, response, asked);
    } catch (error) {
      const duration = Math.round(performance.now() - asked.at);
      answerProblem(response, problemOf(error, this.log, { ...asked.about, duration }, asked.place));
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
    if (this.access.isOpen) refuseOtherHosts(request, this.hosts);
    const permission = await this.permissionOf(request, asked);
    if (response.destroyed) return;
    if (this.isClosing) throw new Problem(503, 'closed', 'This job server is ending.');
    const mount = mountOf(this.options.path);
    const { path, query } = targetOf(request, mount);
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path.length === 1) return redirect(response, `${mount}/`);
      if (this.page.has(path)) {
        this.traffic.routed(response, 'GET', 'page');
        return this.page.answer(request, response, path[1]!);
      }
    }
    const { route, params } = this.find(request.method ?? 'GET', path);
    this.traffic.routed(response, route.method, route.template);
    asked.place = `${route.method} ${route.template}`;
    Object.assign(asked.about, namedIn(params));
    requireRole({ permission }, route.role);
    refuseOtherSites(request, this.access.isOpen, this.hosts);
    const source = this.sourceOf(query.get('server'));
    const gone = asked.gone.signal;
    const call = { request, response, query, params, permission, shared: this.shared, gone };
    if ('jobServer' in source) await route.run({ ...call, source });
    else await runRemote({ ...call, source }, route.method, route.template);
  }

  private async permissionOf(request: IncomingMessage, asked: Asked): Promise<Permission> {
    const grant = await this.access.grantOf(request);
    if (!grant) throw unknownCaller(this.access.challenge);
    asked.grant = grant;
    return new Permission(grant, this.options.readOnly ? 'inspect' : undefined);
  }

  private find(method: string, path: readonly string[]): { route: Route; params: Record<string, string> } {
    const found = this.router.find(method, path);
    if (!found) throw new Problem(404, 'no-such-route', 'There is nothing here; see v1/openapi.json.');
    if ('route' in found) return found;
    const allow = found.allowed.join(', ');
    throw new Problem(405, 'method-not-allowed', `Only ${allow} is answered here.`, { Allow: allow });
  }

  private sourceOf(name: string | null): AnySource {
    const source = name === null ? this.sources[0] : this.sources.find((each) => each.name === name);
    if (source) return source;
    throw invalid('server', `one of ${this.sources.map((each) => each.name).join(', ')}`);
  }
}

function unknownCaller(challenge?: string): Problem {
  const headers: Record<string, string> = challenge === undefined ? {} : { 'WWW-Authenticate': challenge };
  return new Problem(401, 'unauthorized', 'The caller is not known; log in.', headers);
}

function isSame(one: Grant, other: Grant | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The parts of a path that say what a request is about. */
function namedIn({ function: name, handle }: Readonly<Record<string, string>>): LogFields {
  return { ...(name !== undefined && name !== '-' && { function: name }), ...(handle !== undefined && { handle }) };
}

/** A log that keeps lines whole: peers and callers choose their names, and those appear in many lines. */
function logOf(log: Log | undefined): Log {
  return log ? (level, message, fields) => log(level, oneLine(message), fields) : () => undefined;
}

function validate(options: WebHandlerOptions): void {
  checkNames(options, [...OPTIONS], 'option of the web handler');
  const { sources } = options;
  const isList = Array.isArray(sources) && sources.length > 0 && sources.every(isSource);
  if (!isList)
    throw InvalidOptionError.notAllowed(
      'sources',
      sources,
      'a list of { name, jobServer } or { name, server }, at least one',
    );
  checkOption('hosts', options.hosts, NAMES);
  for (const option of ['bodyTimeout', 'maxBufferedBytes', 'maxStreams'] as const) {
    checkOption(option, options[option], wholeNumber(1));
  }
}

function isSource(source: unknown): boolean {
  const { jobServer, server } = (source ?? {}) as Record<string, unknown>;
  return jobServer !== undefined || server !== undefined;
}

function mountOf(path = ''): string {
  return path.replaceAll(/^\/+|\/+$/g, '');
}

/** Redirects to where the page's relative addresses are right, whatever prefix a proxy has added. */
function redirect(response: ServerResponse, path: string): void {
  response.writeHead(307, { Location: path.split('/').slice(-2).join('/'), 'Content-Length': 0 }).end();
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    response.once('close', () => resolve());
    // A client that does not read its answer must not delay closing.
    setTimeout(() => (response.socket ?? response.req.socket).destroy(), 1_000).unref();
  });
}
